"""What balanced networks are worth, beside MMSeg's metric of logits that were shifted by hand."""

import numpy as np
import pytest
import torch
from mmseg.evaluation import IoUMetric

from mmseg_css.evaluation import BalanceMetric

CLASSES = ("sky", "road", "bicyclist")
PIXELS = [700, 290, 10]


def samples(ignored: int, shift: torch.Tensor) -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(3):
        logits = torch.randn(3, 4, 5, generator=generator) + shift[:, None, None]
        truth = torch.randint(3, (1, 4, 5), generator=generator)
        truth[torch.rand(truth.shape, generator=generator) < 0.2] = ignored
        found.append(
            {
                "seg_logits": {"data": logits},
                "pred_sem_seg": {"data": logits.argmax(dim=0, keepdim=True)},
                "gt_sem_seg": {"data": truth},
            }
        )
    return found


@pytest.mark.parametrize("ignored", [255, 0])
def test_each_strength_is_what_mmseg_says_of_shifted_logits(ignored: int) -> None:
    strengths = (0.0, 0.3, 1.0)
    metric = BalanceMetric(pixels=PIXELS, strengths=strengths, ignore_index=ignored)
    metric.process({}, samples(ignored, torch.zeros(3)))
    found = metric.evaluate(3)
    seen = set()
    for strength in strengths:
        shift = torch.tensor(-strength * np.log(np.array(PIXELS) / sum(PIXELS))).float()
        theirs = IoUMetric(ignore_index=ignored)
        theirs.dataset_meta = {"classes": CLASSES}
        theirs.process({}, samples(ignored, shift))
        areas = [torch.stack(of_images).sum(dim=0) for of_images in zip(*theirs.results, strict=True)]
        expected = IoUMetric.total_area_to_metrics(*areas, ["mIoU"])
        shown = areas[3].numpy() > 0  # classes that masks show
        assert found[f"{strength:g}/mIoU"] == pytest.approx(100 * expected["IoU"][shown].mean())
        assert found[f"{strength:g}/mAcc"] == pytest.approx(100 * expected["Acc"][shown].mean())
        assert found[f"{strength:g}/aAcc"] == pytest.approx(100 * expected["aAcc"])
        seen.add(found[f"{strength:g}/mIoU"])
    assert len(seen) == len(strengths)


def test_a_class_that_no_image_shows_counts_for_no_mean() -> None:
    """Also where a strength has pixels taken for it."""
    metric = BalanceMetric(pixels=PIXELS, strengths=(0.0, 1.0))
    logits = torch.zeros(3, 1, 2)
    logits[0] = 1
    logits[2, 0, 1] = 0.9
    truth = torch.zeros(1, 1, 2, dtype=torch.long)
    metric.process({}, [{"seg_logits": {"data": logits}, "gt_sem_seg": {"data": truth}}])
    found = metric.evaluate(1)
    assert [found[f"0/{name}"] for name in ("mIoU", "mAcc", "aAcc")] == [100.0, 100.0, 100.0]
    assert [found[f"1/{name}"] for name in ("mIoU", "mAcc", "aAcc")] == [0.0, 0.0, 0.0]


def test_pixels_taken_for_a_class_that_no_image_shows_cost_only_themselves() -> None:
    metric = BalanceMetric(pixels=PIXELS, strengths=(0.0, 0.1))
    logits = torch.nn.functional.one_hot(torch.arange(100) % 2, 3).float().T[:, None]
    logits[2, 0, :2] = 0.9  # of two pixels in a hundred
    truth = (torch.arange(100) % 2)[None, None]
    metric.process({}, [{"seg_logits": {"data": logits}, "gt_sem_seg": {"data": truth}}])
    found = metric.evaluate(1)
    assert found["0/mIoU"] == 100.0
    assert found["0.1/mIoU"] == pytest.approx(98.0)
