"""Made-up images with what three sources and two indicators say of them, and the same as lists of pixels."""

from collections.abc import Callable

import numpy as np
import torch

from mmseg_css.evaluation.diagnosis.tally import InspectedImage, Labelling
from mmseg_css.types import PseudoLabel
from tests.reference import diagnosis as reference
from tests.reference.diagnosis import SIZES, Pixels

K = 4
CLASSES = ("sky", "road", "car", "tree")
NONE = (-1, 255)
SHAPE = (12, 16)
THRESHOLD, HARD, WEAK, RADIUS = 0.4, 0.3, 0.25, 1
IMAGES = 5
#: What makes images special: given the generator, the truth and the labels of the two spaces, changed in place.
CASES: dict[str, Callable[[np.random.Generator, np.ndarray, np.ndarray, np.ndarray], None]] = {}


def case(function: Callable) -> Callable:
    CASES[function.__name__.replace("_", " ")] = function
    return function


@case
def nothing_special(*_: object) -> None:
    pass


@case
def a_class_absent_from_the_truth(rng: np.random.Generator, truth: np.ndarray, *_: np.ndarray) -> None:
    truth[truth == 1] = 2


@case
def a_class_that_nobody_says(rng: np.random.Generator, truth: np.ndarray, *labels: np.ndarray) -> None:
    for own in labels:
        own[own == 1] = 0


@case
def one_class_in_the_truth(rng: np.random.Generator, truth: np.ndarray, *_: np.ndarray) -> None:
    truth[reference.is_class(truth, K)] = 3


@case
def everything_agreed(rng: np.random.Generator, truth: np.ndarray, logit: np.ndarray, other: np.ndarray) -> None:
    other[:] = logit


@case
def everything_right(rng: np.random.Generator, truth: np.ndarray, logit: np.ndarray, other: np.ndarray) -> None:
    known = reference.is_class(truth, K)
    logit[known] = other[known] = truth[known]


@case
def all_but_a_corner_ignored(rng: np.random.Generator, truth: np.ndarray, *_: np.ndarray) -> None:
    truth[2:] = 255


@case
def images_that_are_ignored_whole(rng: np.random.Generator, truth: np.ndarray, *_: np.ndarray) -> None:
    if rng.random() < 0.5:
        truth[:] = -1


@case
def no_prototype_yet(rng: np.random.Generator, truth: np.ndarray, logit: np.ndarray, other: np.ndarray) -> None:
    other[:] = -1


def noisy(rng: np.random.Generator, labels: np.ndarray, kept: float) -> np.ndarray:
    """Labels of which a share is drawn anew; what is no class gets one."""
    drawn = rng.choice(K, labels.shape, p=[0.4, 0.3, 0.2, 0.1])
    return np.where(reference.is_class(labels, K) & (rng.random(labels.shape) < kept), labels, drawn)


def values(rng: np.random.Generator, high: np.ndarray) -> torch.Tensor:
    """In [0, 1], higher where they should be; half of them lie on edges of bins, and some at the ends."""
    drawn = 0.7 * rng.random(high.shape) + 0.3 * high
    drawn = np.where(rng.random(high.shape) < 0.5, drawn.round(2), drawn)
    return torch.from_numpy(np.where(rng.random(high.shape) < 0.05, high, drawn).astype(np.float32))


def look(rng: np.random.Generator, special: str) -> InspectedImage:
    """Classes in parts of 4 x 4 pixels, so that there is an interior; indicators at half the size."""
    rows, columns = (side // 4 for side in SHAPE)
    blocks = rng.choice([*range(K), *NONE], (rows, columns), p=[0.3, 0.2, 0.2, 0.15, 0.1, 0.05])
    truth = np.kron(blocks, np.ones((4, 4), int))
    logit = noisy(rng, truth, 0.7)
    other = np.where(rng.random(SHAPE) < 0.3, logit, noisy(rng, truth, 0.6))
    CASES[special](rng, truth, logit, other)
    confidence = values(rng, logit == truth)
    sources = {
        "logit": PseudoLabel(torch.from_numpy(logit), confidence),
        "representation": PseudoLabel(torch.from_numpy(other), values(rng, other == truth)),
        "mix": PseudoLabel(torch.from_numpy(np.where(logit == other, logit, rng.choice(NONE))), confidence),
    }
    small, said = truth[::2, ::2], noisy(rng, truth, 0.6)[::2, ::2]
    pseudo = np.where(confidence[::2, ::2] >= WEAK, logit[::2, ::2], -1)
    known = torch.from_numpy(reference.is_class(small, K))
    targets = {"student_wrong": torch.from_numpy(said != small), "label_wrong": torch.from_numpy(pseudo != small)}
    asked = {"truth": (small, ("student_wrong",)), "pseudo": (pseudo, ("student_wrong", "label_wrong"))}
    labellings = {
        name: Labelling(
            torch.from_numpy(labels.copy()),
            known,
            {indicator: values(rng, said == small) for indicator in ("similarity", "confidence")},
            {target: targets[target] for target in own},
        )
        for name, (labels, own) in asked.items()
    }
    return InspectedImage(torch.from_numpy(truth), sources, labellings)


def looks(seed: int, special: str, number: int = 4) -> list[InspectedImage]:
    rng = np.random.default_rng(seed)
    return [look(rng, special) for _ in range(number)]


def flat(parts: list) -> np.ndarray:
    return np.concatenate([np.asarray(part).ravel() for part in parts])


def pixels_of(looked: list[InspectedImage]) -> Pixels:
    """What the sources say, and where it lies."""
    truths = [one.truth.numpy() for one in looked]
    band = flat([reference.boundary_band(truth, K, RADIUS) for truth in truths])
    size = flat(reference.sizes(truths, K))
    regions = {"interior": ~band, "boundary": band} | {name: size == index for index, name in enumerate(SIZES)}
    names = looked[0].sources
    return Pixels(
        K,
        flat(truths),
        regions,
        {name: flat([one.sources[name].label for one in looked]) for name in names},
        {name: flat([one.sources[name].confidence for one in looked]) for name in names},
    )
