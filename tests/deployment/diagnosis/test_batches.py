"""What the indicators are asked about, pixel by pixel of the decoder's maps."""

import pytest
import torch
from torch import Tensor

from mmseg_css.deployment.diagnosis.batches import InspectedBatch, image_of, labellings_of
from mmseg_css.models.segmentors import Inspection
from mmseg_css.types import PseudoLabel

K, IMAGES, SIZE, STRIDE = 3, 2, (8, 12), 4
WEAK = 0.5


def draw(seed: int, contrasts: str) -> InspectedBatch:
    generator = torch.Generator().manual_seed(seed)

    def labels() -> Tensor:
        return torch.randint(-1, K, (IMAGES, *SIZE), generator=generator)

    def shares() -> Tensor:
        """Some of them lie on the threshold."""
        return (4 * torch.rand(IMAGES, *SIZE, generator=generator)).round() / 4

    sources = {name: PseudoLabel(labels(), shares()) for name in ("logit", "representation", "mix")}
    logits = torch.randn(IMAGES, K, *(side // STRIDE for side in SIZE), generator=generator)
    # What an indicator says depends on the labels that it is given.
    indicators = {"similarity": lambda labels: labels / 10, "confidence": lambda labels: 1 - labels / 10}
    return InspectedBatch([], [], labels(), Inspection(sources, "logit", contrasts, logits, indicators))


@pytest.mark.parametrize("contrasts", ["logit", "mix"])
@pytest.mark.parametrize("seed", range(3))
def test_labels_and_targets_are_those_of_the_pixels(seed: int, contrasts: str) -> None:
    said = draw(seed, contrasts)
    found = labellings_of(said, WEAK)
    assert {name: [*own.targets] for name, own in found.items()} == {
        "truth": ["student_wrong"],
        "pseudo": ["student_wrong", "label_wrong"],
    }
    label, confidence = said.inspection.sources[contrasts]
    kinds = set()
    for image, y, x in torch.cartesian_prod(
        *map(torch.arange, (IMAGES, SIZE[0] // STRIDE, SIZE[1] // STRIDE))
    ).tolist():
        large, small = (image, y * STRIDE, x * STRIDE), (image, y, x)
        true = int(said.truth[large])
        pseudo = int(label[large]) if confidence[large] >= WEAK else -1
        wrong = int(said.inspection.logits[image, :, y, x].argmax()) != true
        for name, own_label in (("truth", true), ("pseudo", pseudo)):
            own = found[name]
            assert (own.labels[small], own.known[small]) == (own_label, true >= 0)
            assert own.indicators["similarity"][small] == pytest.approx(own_label / 10)
            assert own.indicators["confidence"][small] == pytest.approx(1 - own_label / 10)
            if true >= 0:
                assert own.targets["student_wrong"][small] == wrong
        if true >= 0:
            assert found["pseudo"].targets["label_wrong"][small] == (pseudo != true)
        kinds.add((true >= 0, pseudo >= 0, wrong, pseudo == true))
    assert len(kinds) > 4


def test_an_image_has_its_own() -> None:
    said = draw(0, "mix")
    labellings = labellings_of(said, WEAK)
    for index in range(IMAGES):
        looked = image_of(said, labellings, index)
        assert torch.equal(looked.truth, said.truth[index])
        for name, source in looked.sources.items():
            assert all(
                torch.equal(own, of[index]) for own, of in zip(source, said.inspection.sources[name], strict=True)
            )
        for name, own in looked.labellings.items():
            assert torch.equal(own.labels, labellings[name].labels[index])
            assert torch.equal(own.known, labellings[name].known[index])
            for key in ("indicators", "targets"):
                parts, of = getattr(own, key), getattr(labellings[name], key)
                assert [*parts] == [*of] and all(torch.equal(parts[part], of[part][index]) for part in parts)
