"""Single images: what the counts say of them, and the worst ones with their pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmseg_css.deployment.diagnosis.batches import InspectedBatch, panels_of
from mmseg_css.evaluation.diagnosis.images import failures, qualities
from mmseg_css.evaluation.diagnosis.panels import CELL_PALETTE, LONGEST, coloured, grey, picture_of
from mmseg_css.evaluation.diagnosis.tally import SPACES, InspectedImage, Tally
from mmseg_css.evaluation.diagnosis.worst import KEPT, Worst
from mmseg_css.functional.diagnosis import CELLS
from mmseg_css.models.segmentors import Inspection
from mmseg_css.types import PseudoLabel
from tests.evaluation.diagnosis.looks import CASES, THRESHOLD, K, looks
from tests.reference import diagnosis as reference


def tally_of(one: InspectedImage) -> Tally:
    tally = Tally(num_classes=K, threshold=THRESHOLD)
    tally.add(one)
    return tally


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("special", [*CASES])
def test_shares_are_those_of_the_pixels(special: str, masked: bool) -> None:
    for one in looks(7, special):
        truth = one.truth.numpy()
        known = reference.is_class(truth, K)
        label, confidence = (part.numpy() for part in one.sources["mix"])
        logit, other = (one.sources[name].label.numpy() for name in ("logit", "representation"))
        both = reference.is_class(logit, K) & reference.is_class(other, K)
        labelled, sure = reference.is_class(label, K), confidence >= np.float32(THRESHOLD)
        expected = {
            "confident_wrong": labelled & sure & (label != truth),
            "not_learnt_from": ~(labelled & sure) if masked else ~labelled,
            "agree_wrong": both & (logit == other) & (logit != truth),
            "both_wrong": both & (logit != other) & (logit != truth) & (other != truth),
        }
        total = max(known.sum(), 1)
        found = failures(tally_of(one).last, "mix", masked=masked)
        assert found == pytest.approx({kind: (where & known).sum() / total for kind, where in expected.items()})


@pytest.mark.parametrize("special", [*CASES])
def test_qualities_are_those_of_the_pixels(special: str) -> None:
    for one in looks(8, special):
        truth = one.truth.numpy()
        known = reference.is_class(truth, K)
        found = qualities(tally_of(one).last, one.sources)
        for name, source in one.sources.items():
            label = source.label.numpy()
            labelled = known & reference.is_class(label, K)
            ious = [
                reference.share(label == truth, labelled & ((label == index) | (truth == index))) for index in range(K)
            ]
            expected = {
                "precision": reference.share(label == truth, labelled),
                "coverage": reference.share(labelled, known),
                "mIoU": reference.mean(ious),
            }
            assert found[name] == pytest.approx(expected, nan_ok=True)


def test_the_threshold_compares_what_it_is_given() -> None:
    """Calibration and curves are of the confidence itself."""
    truth = torch.tensor([[0, 0, 1, 1]])
    source = PseudoLabel(torch.tensor([[0, 1, 1, 1]]), torch.tensor([[0.9, 0.9, 0.3, 0.3]]))
    plain, beside = (
        tally_of(InspectedImage(truth, {"mix": source}, {}, relative))
        for relative in ({}, {"mix": torch.tensor([[0.1, 0.9, 0.9, 0.9]])})
    )
    assert plain.last["mix/confident"].sum(1).tolist() == [2, 1, 2]
    assert beside.last["mix/confident"].sum(1).tolist() == [3, 2, 3]
    assert beside.relative == {"mix"}
    for name in ("mix/by_label", "mix/by_truth"):
        assert (beside.totals[name] == plain.totals[name]).all()
    for name in ("mix/all", "mix/curve", "mix/squares"):
        assert (beside.last[name] == plain.last[name]).all()


@pytest.mark.parametrize(("threshold", "confident"), [(1.0, 1), (0.9995, 2), (0.999, 3), (0.9, 4)])
def test_a_threshold_within_a_bin_is_no_edge(threshold: float, confident: int) -> None:
    """As the losses compare: a threshold of 1 is reached by a confidence of 1 alone."""
    confidence = torch.tensor([[1.0, 0.9998, 0.9992, 0.95, 0.5]])
    source = PseudoLabel(torch.zeros(1, 5, dtype=torch.long), confidence)
    tally = Tally(num_classes=2, threshold=threshold)
    tally.add(InspectedImage(torch.zeros(1, 5, dtype=torch.long), {"logit": source}, {}, {}))
    assert tally.last["logit/confident"][:, 0].tolist() == [confident] * 3


def test_the_worst_are_kept_and_of_equal_ones_the_first(tmp_path: Path) -> None:
    worst, drawn = Worst(), []

    def draw(name: str) -> dict[str, np.ndarray]:
        drawn.append(name)
        return {"image": np.full((2, 2, 3), len(drawn), np.uint8)}

    shares = {"a": 0.2, "b": 0.5, "c": 0.0, "d": 0.2, "e": 0.5, "f": 0.2, "g": 0.4, "h": float("nan")}
    for name, share in shares.items():
        worst.add(name, {"agree_wrong": share, "both_wrong": 0.0}, lambda name=name: draw(name))
    assert drawn == ["a", "b", "d", "e", "g"] and KEPT == 3
    written = worst.write(tmp_path / "checkpoint_1")
    assert [*written] == ["agree_wrong"]  # of the other kind there is none
    assert [(one["image"], one["share"]) for one in written["agree_wrong"]] == [("b", 0.5), ("e", 0.5), ("g", 0.4)]
    for rank, one in enumerate(written["agree_wrong"], start=1):
        assert one["pictures"] == {"image": f"checkpoint_1/agree_wrong_{rank}_image.png"}
        [[pixel, _], _] = cv2.imread(str(tmp_path / one["pictures"]["image"]))
        assert pixel.tolist() == 3 * [1 + drawn.index(one["image"])]


def test_an_image_is_drawn_once_for_all_kinds() -> None:
    worst, drawn = Worst(), []
    worst.add("a", {"agree_wrong": 0.1, "both_wrong": 0.3}, lambda: drawn.append("a") or {})
    assert drawn == ["a"] and {*worst.found} == {"agree_wrong", "both_wrong"}


@pytest.mark.parametrize(
    ("channels", "expected"), [(1, [0, 0, 0]), (2, [0, 0, 0]), (3, [2, 1, 0]), (4, [2, 1, 0]), (6, [2, 1, 0])]
)
def test_pictures_of_any_number_of_channels(channels: int, expected: list[int]) -> None:
    image = torch.arange(channels, dtype=torch.uint8)[:, None, None].expand(channels, 500, 100)
    picture = picture_of(image)
    assert picture.shape == (LONGEST, LONGEST // 5, 3) and picture[7, 7].tolist() == expected


def test_what_is_not_known_has_no_colour_of_agreement() -> None:
    """Nor what a space does not label; and the cells' colours are none of them that grey."""
    truth = torch.tensor([[0, -1, 0, 1, 0]])
    labels = [torch.tensor([[0, 0, 1, 0, 1]]), torch.tensor([[0, 0, -1, 0, 0]])]
    sources = {name: PseudoLabel(own, torch.ones(1, 5)) for name, own in zip(SPACES, labels, strict=True)}
    batched = {name: PseudoLabel(*(part[None] for part in own)) for name, own in sources.items()}
    inspection = Inspection(batched, "logit", "logit", torch.zeros(1, 2, 1, 5), {})
    said = InspectedBatch([], [torch.zeros(3, 1, 5)], truth[None], inspection)
    palette = np.zeros((2, 3), np.uint8)
    [shown] = panels_of(said, InspectedImage(truth, sources, {}), 0, palette)["agreement"].tolist()
    kinds = ("agree_right", "agree_wrong", "representation_right")
    right, wrong, representation = (CELL_PALETTE[CELLS.index(kind)].tolist() for kind in kinds)
    assert shown == [right, [128] * 3, [128] * 3, wrong, representation]
    assert np.abs(CELL_PALETTE.astype(int) - 128).max(1).min() > 50


def test_labels_and_values_in_colour() -> None:
    palette = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert coloured(np.array([[0, 1, 2, 255, -1]]), palette).tolist() == [[[1, 2, 3], [4, 5, 6], *3 * [[128] * 3]]]
    assert coloured(np.zeros((480, 480), int), palette).shape == (LONGEST, LONGEST, 3)
    assert grey(np.array([[0.0, 1.0]])).tolist() == [[[0] * 3, [255] * 3]]
