"""Per-image areas, IoU from them, and the paired test."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.registry import init_default_scope
from mmseg.evaluation import IoUMetric
from scipy import stats
from statsmodels.stats.multitest import multipletests

from mmseg_css.evaluation.areas import class_iou, load_areas, rare_classes
from mmseg_css.evaluation.statistics import detectable_gain, headroom_share, holm, paired_swap_test, paired_t_test
from mmseg_css.registry import METRICS

CLASSES = ("sky", "road", "car")


def random_areas(rng: np.random.Generator, seeds: int, images: int, quality: float, classes: int = 3) -> np.ndarray:
    """Intersections and unions of runs whose IoU is about ``quality``; the unions are those of the images."""
    union = np.random.default_rng(9).integers(50, 500, (1, images, classes)).repeat(seeds, axis=0)
    intersection = rng.binomial(union, np.clip(quality + rng.normal(0, 0.1, union.shape), 0, 1))
    return np.stack([intersection, union], axis=-1).astype(np.float64)


def naive_miou(areas: np.ndarray) -> float:
    """Of one run: per class over all images, then over the classes that there are."""
    values = []
    for k in range(areas.shape[1]):
        intersection = sum(areas[n, k, 0] for n in range(len(areas)))
        union = sum(areas[n, k, 1] for n in range(len(areas)))
        if union > 0:
            values.append(100 * intersection / union)
    return sum(values) / len(values)


# -- IoU --------------------------------------------------------------------------------------------------------------


def test_class_iou_is_the_naive_one() -> None:
    areas = random_areas(np.random.default_rng(0), 2, 5, 0.6)
    found = class_iou(areas)
    assert found.shape == (2, 3)
    for s, k in np.ndindex(found.shape):
        expected = 100 * sum(areas[s, :, k, 0]) / sum(areas[s, :, k, 1])
        assert found[s, k] == pytest.approx(expected)
    assert np.nanmean(found[0]) == pytest.approx(naive_miou(areas[0]))


def test_class_that_is_nowhere_has_no_iou() -> None:
    areas = np.array([[[3.0, 6.0], [0.0, 0.0]], [[1.0, 2.0], [0.0, 0.0]]])
    assert class_iou(areas)[0] == 50.0
    assert np.isnan(class_iou(areas)[1])


# -- the paired test --------------------------------------------------------------------------------------------------


def test_p_is_uniform_if_there_is_no_difference() -> None:
    found = []
    for trial in range(150):
        rng = np.random.default_rng(trial)
        ours, theirs = (random_areas(rng, 2, 12, 0.6) for _ in range(2))
        found.append(paired_swap_test(ours, theirs, permutations=200, seed=trial))
    # Not shown to be anything but uniform, and no small p-values too many (expected: 7.5 below 0.05).
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert sum(p < 0.05 for p in found) <= 16


def test_p_is_small_under_a_clear_difference_and_symmetric() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = random_areas(rng, 3, 30, 0.8), random_areas(rng, 3, 30, 0.5)
    p = paired_swap_test(ours, theirs, permutations=999)
    assert p == pytest.approx(1 / 1000)
    assert paired_swap_test(theirs, ours, permutations=999) == pytest.approx(p)


def test_p_is_one_without_any_difference() -> None:
    areas = random_areas(np.random.default_rng(0), 2, 6, 0.6)
    assert paired_swap_test(areas, areas, permutations=50) == 1.0


def test_p_by_enumeration() -> None:
    """One seed, three images: eight swaps, of which the share that is as large as observed is counted by hand."""
    areas = random_areas(np.random.default_rng(1), 2, 3, 0.6)
    ours, theirs = areas[:1], areas[1:] * 0.9
    observed = abs(naive_miou(ours[0]) - naive_miou(theirs[0]))
    large = 0
    for bits in np.ndindex(2, 2, 2):
        swap = np.array(bits, bool)[:, None, None]
        first, second = np.where(swap, theirs[0], ours[0]), np.where(swap, ours[0], theirs[0])
        large += abs(naive_miou(first) - naive_miou(second)) >= observed - 1e-9
    assert paired_swap_test(ours, theirs) == large / 8


def test_the_mean_over_seeds_is_tested() -> None:
    """A gain on one seed that the other one takes back is no difference."""
    rng = np.random.default_rng(2)
    ours = random_areas(rng, 2, 10, 0.6)
    theirs = ours[::-1].copy()
    assert paired_swap_test(ours, theirs, permutations=500) > 0.9


def test_copies_of_a_run_are_no_evidence() -> None:
    """The same networks four times: one coin for all seeds keeps p what it is."""
    rng = np.random.default_rng(6)
    ours, theirs = random_areas(rng, 1, 8, 0.65), random_areas(rng, 1, 8, 0.6)
    copies = [run.repeat(4, axis=0) for run in (ours, theirs)]
    assert paired_swap_test(*copies, permutations=300) == paired_swap_test(ours, theirs, permutations=300)


def test_luck_of_the_training_is_for_the_seeds_to_tell() -> None:
    """Runs of one method, each with an error of its own on all images: the test over seeds keeps its promise."""
    rejected = 0
    for trial in range(300):
        rng = np.random.default_rng(trial)
        miou = np.stack(
            [
                [naive_miou(random_areas(rng, 1, 20, 0.6 + shift)[0]) for shift in row]
                for row in rng.normal(0, 0.03, (2, 3))
            ]
        )
        rejected += paired_t_test(*miou).p < 0.05
    assert stats.binomtest(rejected, 300, 0.05).pvalue > 0.001


def test_gain_over_seeds_by_hand() -> None:
    """Differences 2, 3, 1: mean 2, standard error 1 / sqrt(3), and Student's t with two degrees of freedom."""
    gain = paired_t_test(np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    t = 2 * np.sqrt(3)
    assert gain.mean == 2
    assert gain.p == pytest.approx(1 - t / np.sqrt(2 + t * t))
    assert (gain.low, gain.high) == pytest.approx((2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)))
    assert np.isnan(paired_t_test(np.array([3.0]), np.array([1.0])).p)
    assert np.isnan(paired_t_test(np.array([3.0, 4.0]), np.array([1.0, 2.0])).p)


@pytest.mark.parametrize(
    "lengths", [(3, 3, 3), (4, 3, 3), (3, 3, 3, 2), (3,) * 20, (3,) * 20 + (2,)], ids=lambda lengths: str(sum(lengths))
)
def test_blocks_are_swapped_together(lengths: tuple[int, ...]) -> None:
    """Blocks of about 3, nearly as long as each other, are the same as images that hold the sums of their blocks."""
    images = sum(lengths)
    rng = np.random.default_rng(images)
    ours, theirs = random_areas(rng, 2, images, 0.65), random_areas(rng, 2, images, 0.6)
    summed = [
        np.stack([part.sum(axis=1) for part in np.split(run, np.cumsum(lengths)[:-1], axis=1)], axis=1)
        for run in (ours, theirs)
    ]
    in_blocks = paired_swap_test(ours, theirs, block=3, permutations=300, seed=4)
    assert in_blocks == paired_swap_test(*summed, permutations=300, seed=4)


def test_blocks_make_copies_of_an_image_count_once() -> None:
    """Ten copies of each frame are no evidence; with blocks of ten p is that of the frames."""
    rng = np.random.default_rng(5)
    ours, theirs = random_areas(rng, 1, 4, 0.65), random_areas(rng, 1, 4, 0.55)
    frames = paired_swap_test(ours, theirs, permutations=2000)
    copies = [run.repeat(10, axis=1) for run in (ours, theirs)]
    assert paired_swap_test(*copies, block=10, permutations=2000) == pytest.approx(frames, abs=0.05)
    assert paired_swap_test(*copies, permutations=2000) < frames / 2


def test_one_block_tells_nothing() -> None:
    ours, theirs = np.full((1, 4, 2, 2), 10.0), np.full((1, 4, 2, 2), [5.0, 10.0])
    assert np.isnan(paired_swap_test(ours, theirs, block=10))  # its one swap changes the sign alone
    assert paired_swap_test(ours, theirs, block=2) == pytest.approx(0.5)  # of four ways two are as large


def test_deterministic_given_the_seed() -> None:
    rng = np.random.default_rng(0)
    runs = random_areas(rng, 1, 20, 0.62), random_areas(rng, 1, 20, 0.6)
    assert paired_swap_test(*runs, permutations=200, seed=3) == paired_swap_test(*runs, permutations=200, seed=3)


@pytest.mark.parametrize("shape", [(1, 5, 3, 2), (2, 4, 3, 2), (2, 5, 2, 2)])
def test_other_shapes_in_words(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"differ in seeds, images or classes: \(2, 5, 3, 2\) and "):
        paired_swap_test(np.ones((2, 5, 3, 2)), np.ones(shape))


# -- the metric -------------------------------------------------------------------------------------------------------


def predictions(seed: int, images: int = 4) -> list[dict]:
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for _ in range(images):
        truth = torch.randint(4, (1, 9, 7), generator=generator)
        label = torch.where(torch.rand(truth.shape, generator=generator) < 0.6, truth.clamp(max=2), 0)
        truth = torch.where(truth == 3, 255, truth)
        samples.append({"pred_sem_seg": {"data": label}, "gt_sem_seg": {"data": truth}})
    return samples


def test_areas_of_the_metric_sum_to_mmsegs_result(tmp_path: Path) -> None:
    init_default_scope("mmseg")
    areas_file = tmp_path / "new" / "areas.npz"
    metric = METRICS.build({"type": "PerImageIoUMetric", "areas_file": str(areas_file), "iou_metrics": ["mIoU"]})
    plain = IoUMetric(iou_metrics=["mIoU"])
    results = []
    for each in (metric, plain):
        each.dataset_meta = {"classes": CLASSES}
        samples = predictions(0)
        each.process({}, samples[:3])
        each.process({}, samples[3:])
        results.append(each.evaluate(size=4))
    assert results[0] == results[1]

    areas = load_areas(str(areas_file))
    assert areas.shape == (4, 3, 2)
    assert np.nanmean(class_iou(areas)) == pytest.approx(results[1]["mIoU"], abs=0.01)  # MMSeg rounds to two digits
    for sample, own in zip(predictions(0), areas, strict=True):
        label, truth = sample["pred_sem_seg"]["data"], sample["gt_sem_seg"]["data"]
        valid = truth != 255
        for k in range(3):
            first, second = (label == k) & valid, (truth == k) & valid
            assert own[k].tolist() == [(first & second).sum(), (first | second).sum()]


def test_the_interval_of_the_share_of_headroom_covers_it() -> None:
    """Of 2000 comparisons of five seeds that share their luck, 95 % cover the true share (here 0.6)."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2000):
        luck, noise = rng.normal(0, 1, 5), rng.normal(0, 1, (3, 5))
        base, ours, ceiling = 40 + luck + noise[0], 52 + luck + noise[1], 60 + luck + noise[2]
        share = headroom_share(ours, base, ceiling)
        covered.append(share.low <= 0.6 <= share.high)
    assert 0.935 < np.mean(covered) < 0.965


def test_share_of_headroom_by_hand() -> None:
    share = headroom_share(np.array([50.0, 52.0]), np.array([40.0, 42.0]), np.array([60.0, 62.0]))
    assert share.share == 0.5 and np.isnan(share.low)  # nothing varies
    assert np.isnan(headroom_share(np.array([50.0]), np.array([40.0]), np.array([60.0])).low)
    unknown = headroom_share(np.array([1.0, -1.0]), np.array([0.0, 0.0]), np.array([2.0, -1.0]))  # no sure headroom
    assert np.isnan(unknown).all()
    for top in (39.1, 40.0):  # all labels are no better than some
        assert np.isnan(headroom_share(np.array([38.0, 38.1]), np.array([40.0, 40.0]), np.array([top, top]))).all()


def test_a_class_that_no_image_shows_counts_for_nobody(tmp_path: Path) -> None:
    """Or one wrong pixel would make its IoU 0 for one method, where the other is averaged over the rest."""
    truth = np.tile([60, 40, 0], (4, 1))
    union = np.array(truth)
    for name, wrong in (("without", 0), ("with", 1)):
        said = union.copy()
        said[2, 2] += wrong
        np.savez(tmp_path / f"{name}.npz", intersection=truth * 0.5, union=said, label=truth)
    without, with_one = (load_areas(str(tmp_path / f"{name}.npz")) for name in ("without", "with"))
    assert np.array_equal(without, with_one)
    assert class_iou(with_one)[:2] == pytest.approx([50, 50]) and np.isnan(class_iou(with_one)[2])


def test_holm_step_by_step() -> None:
    """The smallest p times the number of tests, the next times one less, and never below the one before."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    adjusted = holm([np.nan, 0.01, 0.02])
    assert np.isnan(adjusted[0]) and adjusted[1:] == pytest.approx([0.02, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    with patch("gc.collect"):  # in each call of theirs, 0.3 s beside MMSegmentation's modules
        expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected, abs=1e-12)


def test_the_detectable_gain_is_found_in_four_of_five_comparisons() -> None:
    rng = np.random.default_rng(1)
    scatter = np.array([-1.0, 0.0, 1.0])  # of standard deviation 1
    gain = detectable_gain(scatter)
    differences = rng.normal(gain, 1, (20_000, 3))
    found = stats.ttest_1samp(differences, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.01)
    assert np.isnan(detectable_gain(np.array([1.0])))


@pytest.mark.parametrize(
    ("pixels", "rare"),
    [
        ([50, 10, 30], [1]),
        ([50, 10, 30, 20], [1, 3]),  # a third of four, rounded up
        ([50, 0, 30, 20, 0], [3]),  # of the three that are shown
        ([7, 0, 0], [0]),
        ([90, 20, 80, 30, 70, 40, 60], [1, 3, 5]),
    ],
)
def test_rare_classes_are_the_third_with_the_fewest_pixels(pixels: list[int], rare: list[int], tmp_path: Path) -> None:
    """Over all images together: the first of them shows a few of each class, and the second the rest."""
    few = np.minimum(pixels, 3)
    np.savez(tmp_path / "areas.npz", label=np.stack([few, pixels - few]))
    assert rare_classes(str(tmp_path / "areas.npz")) == rare
