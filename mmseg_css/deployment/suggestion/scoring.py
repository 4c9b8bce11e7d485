"""One pass over images: of each its scores, and a vector that says where it lies among the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from mmseg_css.datasets.checks import mirrored
from mmseg_css.deployment.prediction.folder import ahead
from mmseg_css.deployment.prediction.pipeline import Prepared
from mmseg_css.deployment.prediction.predictor import Predictor
from mmseg_css.functional.suggestion import disagreement, expected_rarity, mean_entropy, mean_over_pixels
from mmseg_css.models.segmentors.batch import Images
from mmseg_css.models.segmentors.css import CSS
from mmseg_css.models.segmentors.decoding import decode, heads_of, labels_of, logits_of

#: What an image can be ranked by.
Score = Literal["rare", "views", "spaces", "entropy"]
SCORES: Final[tuple[Score, ...]] = get_args(Score)


@dataclass
class Seen:
    """What was seen of images; ``indices`` say of which, since some may be unreadable.

    Attributes:
        indices: Of the images that could be read.
        scores: Of each of them.
        vectors: Of each of them, of length 1.
        faults: What could not be read, in words that name it.
    """

    indices: list[int] = field(default_factory=list)
    scores: list[dict[Score, float]] = field(default_factory=list)
    vectors: list[Float[Tensor, " d"]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def look(predictor: Predictor, paths: Sequence[Path], weights: Float[Tensor, " k"], doing: str) -> Seen:
    """Look at images, one after the other; of each only numbers are kept.

    Args:
        predictor: The network.
        paths: The images.
        weights: What a pixel of each class is worth, for the score ``rare``.
        doing: What the progress says.
    """
    seen = Seen()
    with torch.no_grad(), tqdm(total=len(paths), desc=doing, unit="image", leave=False) as progress:
        for index, found in enumerate(ahead(lambda path: _read(predictor, path), paths)):
            progress.update()
            if isinstance(found, Exception):
                seen.faults.append(str(found))
                continue
            scores, vector = seen_of(predictor, found, weights)
            seen.indices.append(index)
            seen.scores.append(scores)
            seen.vectors.append(vector)
    return seen


def _read(predictor: Predictor, path: Path) -> Prepared | Exception:
    try:
        return predictor.prepare(path)
    except (ValueError, OSError) as fault:
        return fault


def scores_of_method(model: BaseSegmentor) -> tuple[Score, ...]:
    """The scores that a method's images have: only CSS has two spaces."""
    return SCORES if isinstance(model, CSS) else tuple(score for score in SCORES if score != "spaces")


def seen_of(
    predictor: Predictor, image: Prepared, weights: Float[Tensor, " k"]
) -> tuple[dict[Score, float], Float[Tensor, " d"]]:
    """The scores and the vector of one image, at the decoder's stride."""
    half, network = predictor.whole(image), predictor.network
    features = network.extract_feat(half.images)
    logits = decode(network, features).logits
    probabilities, flipped = map(probabilities_of, (logits, logits_of(network, half.images.flip(-1)).flip(-1)))
    valid, one_side = _at(half.valid, logits), one_side_of(predictor.classes.names).to(logits.device)
    labels, mirrored_labels = (labels_of(part, heads_of(network)[-1]) for part in (probabilities, flipped))
    found: dict[Score, Tensor] = {
        "rare": expected_rarity(probabilities, weights.to(logits.device), valid),
        "views": disagreement(one_side[labels], one_side[mirrored_labels], valid),
        "entropy": mean_entropy(probabilities, valid),
    }
    if "spaces" in scores_of_method(predictor.model):
        found["spaces"] = _of_spaces(predictor.model, half, valid)
    return {score: found[score].item() for score in SCORES if score in found}, vector_of(features, half.valid)


def one_side_of(classes: Sequence[str]) -> Int[Tensor, " k"]:
    """Of each class its index, of one of the right that of the left: a mirror exchanges them.

    >>> one_side_of(["body", "left arm", "right arm"]).tolist()
    [0, 1, 1]
    """
    indices = torch.arange(len(classes))
    for left, right in mirrored(classes):
        indices[right] = left
    return indices


def probabilities_of(logits: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
    """Of every class; a single output is that of the second of two."""
    if logits.shape[1] == 1:
        return torch.cat([1 - logits.sigmoid(), logits.sigmoid()], dim=1)
    return logits.softmax(dim=1)


def _of_spaces(model: CSS, half: Images, valid: Bool[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    sources = model.inspect(half.images, (valid.shape[1], valid.shape[2])).sources
    logit, representation = sources["logit"].label, sources["representation"].label
    # Before the first prototype the representation space says nothing.
    return disagreement(logit, representation, valid & (representation != model.ignore_index))


def vector_of(features: Sequence[Any], valid: Bool[Tensor, "b h w"]) -> Float[Tensor, " d"]:
    """Where an image lies among others: the mean of the backbone's last map over what is no padding, at length 1."""
    last = features[-1]
    maps = last[0] if isinstance(last, list | tuple) else last  # a map and its class token
    return F.normalize(mean_over_pixels(maps[0].float(), _at(valid, maps).expand(maps.shape[1], -1, -1)), dim=0).cpu()


def _at(valid: Bool[Tensor, "b H W"], maps: Float[Tensor, "b d h w"]) -> Bool[Tensor, "b h w"]:
    return F.interpolate(valid[:, None].float(), maps.shape[2:], mode="nearest")[:, 0] > 0
