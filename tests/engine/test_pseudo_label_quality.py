"""The quality of pseudo-labels during a training: right figures, and a training that is none the different."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.datasets.transforms import LoadAnnotations

from mmseg_css.engine.hooks import PseudoLabelQualityHook
from tests.datasets.helpers import write_mask
from tests.engine.conftest import Spy, css_runner
from tests.models.methods.helpers import METHODS, UNLABELLING, config


class Reading(Hook):
    """Counts by itself, pixel by pixel, at every iteration: right of kept of known pixels, also of confident ones.

    Of a method with two label maps also those that are the same in both; with one, where there are labels.
    """

    def __init__(self) -> None:
        self.everything, self.sure, self.agreed = Counter(), Counter(), Counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict, outputs: dict) -> None:
        images, threshold = runner.model.pseudo_labelled_images, runner.model.pseudo_label_loss.threshold
        unlabeled = {sample.img_path for sample in data_batch["unlabeled"]["data_samples"]}
        for sample, labels, confidences in zip(images.samples, images.labels, images.confidences[:, 0], strict=True):
            if sample.img_path not in unlabeled or "gt_sem_seg" not in sample:
                continue
            values = (labels[0], labels[-1], sample.gt_sem_seg.data, confidences)
            for own, other, true, confidence in zip(*(part.flatten().tolist() for part in values), strict=True):
                self.count(self.everything, own, true)
                self.count(self.sure, own if confidence >= threshold else 255, true)
                self.count(self.agreed, own if own == other else 255, true)

    def count(self, counts: Counter, own: int, true: int) -> None:
        if true == 255:
            return
        counts["known"] += 1
        counts["known", true] += 1
        if own != 255:
            counts["kept"] += 1
            counts["kept", own] += 1
            counts["covered", true] += 1
            counts["right"] += own == true
            counts["right", own] += own == true


def of_loop(counts: Counter) -> dict[str, float]:
    """Coverage and precision, over all classes and by class; what has no pixel is not there."""
    found = {"coverage": counts["kept"] / counts["known"]}
    if counts["kept"]:
        found["precision"] = counts["right"] / counts["kept"]
    for index, name in enumerate(("background", "thing")):
        found[f"coverage/{name}"] = counts["covered", index] / counts["known", index]
        if counts["kept", index]:
            found[f"precision/{name}"] = counts["right", index] / counts["kept", index]
    return found


def logged(data: Path) -> dict[str, float]:
    """The figures of the only time that there are some."""
    [file] = (data / "work_dir").rglob("scalars.json")
    [scalars] = [line for line in map(json.loads, file.read_text().splitlines()) if "pseudo_label/coverage" in line]
    return {name.removeprefix("pseudo_label/"): value for name, value in scalars.items()}


def said(data: Path) -> str:
    log = max((data / "work_dir").rglob("*.log"))  # an earlier one is of the runner that gave the config
    [line] = re.findall(r"pseudo-labels: .*", log.read_text())
    return line


@pytest.fixture
def masks(data: Path) -> Path:
    """Other masks than the diagonal of all others, with unknown pixels, one by one."""
    rng = np.random.default_rng(0)
    for path in sorted((data / "images").iterdir()):
        values = rng.choice(np.array([0, 1, 255], np.uint8), (16, 16), p=[0.6, 0.3, 0.1])
        write_mask(data / "truth" / f"{path.stem}_mask.png", values)
    return data / "truth"


def runner_of(method: str, data: Path, max_iters: int, *hooks: Hook) -> Runner:
    preprocessor = {"type": "SemiDataPreprocessor", "mean": [127.5], "std": [127.5], "size": (16, 16)}
    model = config(method, data_preprocessor=preprocessor, head={"num_classes": 2})
    return css_runner(data, max_iters, *hooks, model={"_delete_": True, **model})


@pytest.mark.parametrize(
    ("method", "every", "threshold"), [("css", 1, 0.55), ("css", 2, 0.55), ("css", 1, 1.0), ("cps", 1, 0.55)]
)
def test_figures_are_those_of_a_loop(method: str, every: int, threshold: float, data: Path, masks: Path) -> None:
    """Also where no pixel is confident, of which no precision is known, and of unlabelled images where both halves are
    labelled.
    """
    hook = PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", interval=8, every=every)
    reading = Reading()
    runner = runner_of(method, data, 8, hook, reading)
    runner.model.pseudo_label_loss.threshold = threshold
    runner.train()
    everything, sure, agreed = map(of_loop, (reading.everything, reading.sure, reading.agreed))
    assert 0 < sure["coverage"] < everything["coverage"] if threshold < 1 else sure["coverage"] == 0
    assert 0 < agreed["coverage"] < 1
    scalars = logged(data)
    assert scalars.pop("step") == 8
    agreement = {name.replace("coverage", "agreement"): agreed[name] for name in agreed if "coverage" in name}
    expected = everything | {f"confident/{name}": value for name, value in sure.items()} | agreement
    assert scalars == pytest.approx(expected)
    assert f"{everything['precision']:.1%} right of {everything['coverage']:.1%} of the pixels" in said(data)
    confident = f"{sure['precision']:.1%}" if "precision" in sure else "none"
    assert f"confident {confident} of {sure['coverage']:.1%};" in said(data)


def test_wrapped_data_sets(data: Path, masks: Path) -> None:
    """As `check_wrappers` advises where rare classes are to come more often; and each with its own folder."""
    cfg = css_runner(data, 1).cfg
    halves = cfg.train_dataloader.dataset
    for half in ("labeled", "unlabeled"):
        repeated = {"type": "RepeatDataset", "times": 2, "dataset": halves[half]}
        halves[half] = {"type": "ConcatDataset", "datasets": [halves[half], repeated]}
    cfg.experiment_name = cfg.visualizer.name = "quality-wrapped"
    runner = Runner.from_cfg(cfg)
    runner.register_hook(PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", interval=1, every=1))
    runner.train()
    assert "coverage" in logged(data)


def test_of_one_in_so_many_images_the_mask_is_read(data: Path, masks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, read, load = [0, 0], [], LoadAnnotations._load_seg_map

    def counted(self: LoadAnnotations, results: dict) -> None:
        if str(masks) in results["seg_map_path"]:
            read.append(results["seg_map_path"])
        load(self, results)

    monkeypatch.setattr(LoadAnnotations, "_load_seg_map", counted)

    class Looking(Hook):
        def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
            for sample in runner.model.pseudo_labelled_images.samples:
                seen["gt_sem_seg" in sample] += 1

    hook = PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", interval=60, every=3)
    css_runner(data, 60, hook, Looking()).train()
    without, looked_at = seen
    share = looked_at / (looked_at + without)
    assert abs(share - 1 / 3) < 4 * (2 / 9 / (looked_at + without)) ** 0.5  # four standard deviations
    assert len(read) / (looked_at + without) == pytest.approx(share, abs=0.02)  # some are loaded ahead
    [log] = (data / "work_dir").rglob("*.log")
    assert len(re.findall(r"pseudo-labels: .*", log.read_text())) == 1


def test_an_image_that_cannot_be_read_is_named(data: Path, masks: Path) -> None:
    runner = runner_of("css", data, 1, PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", every=1))
    for path in masks.iterdir():
        path.write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"LoadTruth failed on the image '.*\.png'"):
        runner.train()


def test_nothing_is_said_of_no_image(data: Path, masks: Path) -> None:
    css_runner(data, 2, PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", interval=1, every=2**33)).train()
    [log] = (data / "work_dir").rglob("*.log")
    assert "pseudo-labels" not in log.read_text()


def test_every_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"PseudoLabelQualityHook\.every must be at least 1, got 0"):
        PseudoLabelQualityHook(masks="truth", every=0)


@pytest.mark.parametrize("every", [1, 2])
def test_the_training_is_the_same_with_it(every: int, data: Path, masks: Path) -> None:
    spies = Spy(), Spy()
    css_runner(data, 3, spies[0]).train()
    hook = PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", interval=1, every=every)
    css_runner(data, 3, spies[1], hook).train()
    for plain, watched in zip(spies[0].seen, spies[1].seen, strict=True):
        assert all(torch.equal(value, watched[name]) for name, value in plain.items())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_what_it_labels(method: str, data: Path, masks: Path) -> None:
    runner_of(
        method, data, 1, PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png", interval=1, every=1)
    ).train()
    [file] = (data / "work_dir").rglob("scalars.json")
    assert ('"pseudo_label/coverage"' in file.read_text()) == (method not in UNLABELLING)


def test_a_missing_mask_is_told_before_the_training(data: Path, masks: Path) -> None:
    (masks / "07_mask.png").unlink()
    hook = PseudoLabelQualityHook(masks=str(masks), suffix="_mask.png")
    with pytest.raises(FileNotFoundError, match=r"1 of 4 unlabelled images have no mask, the first .*07_mask.png"):
        css_runner(data, 1, hook).train()
