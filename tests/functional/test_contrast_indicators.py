"""The prototype contrast: hardness."""

import numpy as np
import torch
from hypothesis import given

from mmseg_css.functional.contrastive import confidence_indicator, similarity_indicator
from tests.functional.helpers import SEEDS, SIDES, TEMPERATURES, bits, class_map, close, equal, normal
from tests.reference import contrastive as reference


@given(SEEDS, SIDES, TEMPERATURES)
def test_similarity_indicator_is_the_reference(seed: int, side: int, temperature: float) -> None:
    embeddings, prototypes = normal(seed, 2, 3, side, 3), normal(seed + 1, 4, 3)
    labels, seen = class_map(seed + 2, 2, side, 3, num_classes=4), bits(seed + 3, 4, probability=0.6)
    close(
        similarity_indicator(embeddings, labels, prototypes, seen, temperature=temperature),
        reference.similarity_indicator(
            embeddings.numpy(), labels.numpy(), prototypes.numpy(), seen.numpy(), temperature
        ),
    )


@given(SEEDS, SIDES)
def test_confidence_indicator_is_the_reference(seed: int, side: int) -> None:
    logits, labels = 3 * normal(seed, 2, 4, side, 3), class_map(seed + 1, 2, side, 3, num_classes=4)
    close(confidence_indicator(logits, labels), reference.confidence_indicator(logits.numpy(), labels.numpy()))


@given(SEEDS)
def test_indicators_over_all_classes_sum_to_one(seed: int) -> None:
    embeddings, prototypes, logits = normal(seed, 1, 3, 2, 2), normal(seed + 1, 4, 3), normal(seed + 2, 1, 4, 2, 2)
    seen, maps = torch.ones(4, dtype=torch.bool), [torch.full((1, 2, 2), c) for c in range(4)]
    close(sum(similarity_indicator(embeddings, label, prototypes, seen) for label in maps), np.ones((1, 2, 2)))
    close(sum(confidence_indicator(logits, label) for label in maps), np.ones((1, 2, 2)))


def test_before_any_prototype_exists_every_pixel_is_hard() -> None:
    labels, seen = class_map(0, 2, 3, 3, num_classes=4), torch.zeros(4, dtype=torch.bool)
    indicator = similarity_indicator(normal(1, 2, 3, 3, 3), labels, torch.zeros(4, 3).double(), seen)
    equal(indicator, torch.zeros(2, 3, 3))
