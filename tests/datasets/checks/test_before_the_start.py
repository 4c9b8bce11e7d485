"""What is wrong with the validation or the test set is said before the first step, or the first image of a test."""

import copy
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image

from mmseg_css.datasets import checks
from mmseg_css.engine.hooks import DataCheckHook, ProgressHook, PrototypeCommitHook, TeacherUpdateHook, use_data_checks
from tests.datasets.helpers import LOAD, METAINFO, labeled_config, unlabeled_config, write_mask, write_pairs
from tests.models.helpers import css_config, tiny_segmentor

RUNS = count()
METHODS = ("supervised", "css")
IMAGE, MASK = "val/images/b.png", "val/masks/b.png"
EVALUATE = [*LOAD, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]

Change = Callable[[dict], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    rng = np.random.default_rng(0)
    for part, names in (("train", "abcd"), ("val", "abc")):
        write_pairs(tmp_path / part, names)
        for name in names:  # noise, so that the files take some bytes
            picture = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
            picture.save(tmp_path / part / "images" / f"{name}.png")
    return tmp_path


@pytest.fixture(autouse=True)
def _unformatted_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    """MMEngine formats a config for every Runner, which takes longer than all else here."""
    monkeypatch.setattr(Config, "pretty_text", property(lambda config: repr(config._cfg_dict.to_dict())))


def loader(dataset: dict, **changes: Any) -> dict:
    return {"batch_size": 2, "num_workers": 0, "persistent_workers": True, "dataset": dataset, **changes}


def config(root: Path, method: str) -> dict:
    """One step on 4 images of 16 x 16 pixels, then a validation of 3."""
    training = labeled_config(root / "train")
    evaluation = loader(
        labeled_config(root / "val", pipeline=EVALUATE), sampler={"type": "DefaultSampler"}, batch_size=1
    )
    cfg: dict = {
        "train_dataloader": loader(training, sampler={"type": "InfiniteSampler"}),
        "train_cfg": {"type": "IterBasedTrainLoop", "max_iters": 1, "val_interval": 1},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}},
        "work_dir": str(root / "work_dir"),
        "default_scope": "mmseg",
        "experiment_name": f"data-check-{next(RUNS)}",
        "log_level": "WARNING",
        "default_hooks": {"data_check": {"type": "DataCheckHook"}},
        "custom_hooks": [],
    }
    preprocessor = {"mean": [127.5], "std": [127.5], "size": (12, 12), "seg_pad_val": 255}
    if method == "css":
        preprocessor["type"] = "SemiDataPreprocessor"
        cfg["model"] = css_config(segmentor=tiny_segmentor(num_classes=2), data_preprocessor=preprocessor)
        paired = {"type": "PairedDataset", "labeled": training, "unlabeled": unlabeled_config(root / "train")}
        collate = {"type": "paired_collate"}
        cfg["train_dataloader"] = loader(paired, sampler={"type": "PairedSampler"}, batch_size=4, collate_fn=collate)
        cfg["train_cfg"]["type"] = "PairedTrainLoop"
        cfg["custom_hooks"] = [dict(type=h.__name__) for h in (ProgressHook, TeacherUpdateHook, PrototypeCommitHook)]
    else:
        preprocessor["type"] = "SegDataPreProcessor"
        cfg["model"] = {**tiny_segmentor(num_classes=2), "data_preprocessor": preprocessor}
    for stage in ("val", "test"):
        cfg[f"{stage}_dataloader"] = copy.deepcopy(evaluation)
        cfg[f"{stage}_cfg"] = {"type": f"{stage.capitalize()}Loop"}
        cfg[f"{stage}_evaluator"] = {"type": "IoUMetric", "iou_metrics": ["mIoU"]}
    return cfg


def labeled_of(cfg: dict) -> dict:
    dataset = cfg["train_dataloader"]["dataset"]
    return dataset.get("labeled", dataset)


def head_of(cfg: dict) -> dict:
    return cfg["model"].get("segmentor", cfg["model"])["decode_head"]


def run(cfg: dict, stage: str) -> None:
    """Train or test; if an error comes, it comes before the first step and the first image."""
    runner = Runner.from_cfg(Config(cfg))
    images: list[object] = []
    runner.model.register_forward_pre_hook(lambda *_: images.append(0))
    for name in ("train_step", "test_step", "val_step"):
        step = getattr(runner.model, name)
        setattr(runner.model, name, lambda *args, step=step, **kwargs: (images.append(0), step(*args, **kwargs))[1])
    try:
        runner.train() if stage == "train" else runner.test()
    except Exception:
        assert not images
        raise
    assert images


@pytest.mark.parametrize("stage", ["train", "test"])
@pytest.mark.parametrize("method", METHODS)
def test_sound_data_pass(root: Path, method: str, stage: str) -> None:
    run(config(root, method), stage)


# -- files ------------------------------------------------------------------------------------------------------------


def missing(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def small(path: Path) -> None:
    write_mask(path, np.zeros((8, 16), np.uint8))


def outside(path: Path) -> None:
    write_mask(path, np.full((16, 16), 7, np.uint8))


@pytest.mark.parametrize("stage", ["train", "test"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        (MASK, missing, r"b\.png' is missing"),
        (IMAGE, missing, r"b\.png' is missing"),
        (MASK, small, r"b\.png' is 16x8, its image .* is 16x16"),
        (IMAGE, truncated, r"b\.png' cannot be read"),
        (MASK, truncated, r"b\.png' cannot be read"),
        (MASK, outside, r"b\.png' holds \[7\], neither one of the 2 classes"),
    ],
)
def test_files(root: Path, method: str, stage: str, name: str, harm: Callable[[Path], None], message: str) -> None:
    cfg = config(root, method)
    if name == IMAGE and harm is missing:  # a folder has no image that is missing, and a list has
        (root / "list.txt").write_text("a\nb\nc\n")
        for part in ("val", "test"):
            cfg[f"{part}_dataloader"]["dataset"]["ann_file"] = str(root / "list.txt")
    harm(root / name)
    with pytest.raises((ValueError, FileNotFoundError), match=rf"(?s)1 of the 3 labelled images .*{message}"):
        run(cfg, stage)


@pytest.mark.parametrize(("harm", "message"), [(missing, "is missing"), (small, "is 16x8"), (outside, r"holds \[7\]")])
def test_files_of_a_supervised_training(root: Path, harm: Callable[[Path], None], message: str) -> None:
    harm(root / "train/masks/b.png")
    with pytest.raises((ValueError, FileNotFoundError), match=rf"(?s)1 of the 4 .* trained on.*b\.png' {message}"):
        run(config(root, "supervised"), "train")


@pytest.mark.parametrize("stage", ["train", "test"])
@pytest.mark.parametrize("change", [{"ann_file": "no list.txt"}, {"data_prefix": {"img_path": "nowhere"}}])
def test_lists_and_folders(root: Path, stage: str, change: dict) -> None:
    cfg = config(root, "supervised")
    for part in ("val", "test"):
        cfg[f"{part}_dataloader"]["dataset"].update(change)
    with pytest.raises(FileNotFoundError, match="no list of images .*no list|there is no folder .*nowhere"):
        run(cfg, stage)


def test_a_folder_without_images(root: Path) -> None:
    cfg = config(root, "css")
    cfg["val_dataloader"]["dataset"]["img_suffix"] = ".jpg"
    with pytest.raises(
        ValueError, match=r"the dataloader's data set .* has no image: nothing in '.*val/images' ends in '\.jpg'"
    ):
        run(cfg, "train")


@pytest.mark.parametrize("wrapper", [None, "ConcatDataset"])
def test_large_sets(root: Path, monkeypatch: pytest.MonkeyPatch, wrapper: str | None) -> None:
    """Of more masks than can be read within seconds, some are read, and of all the file is looked at."""
    monkeypatch.setattr(checks.sets, "MOST_READ", 2)  # the first and the third of three
    cfg = config(root, "supervised")
    if wrapper:
        cfg["val_dataloader"]["dataset"] = {"type": wrapper, "datasets": [cfg["val_dataloader"]["dataset"]]}
    write_mask(root / "val/masks/b.png", np.full((16, 16), 7, np.uint8))
    with pytest.raises(ValueError, match=r"made the labels \[7\] of the mask '.*b\.png'"):  # when it is read
        Runner.from_cfg(Config(cfg)).train()
    for harm in (small, truncated, missing):
        write_mask(root / "val/masks/b.png")
        harm(root / "val/masks/b.png")
        with pytest.raises((ValueError, FileNotFoundError), match=r"(?s)1 of the 3 labelled .*val/masks/b\.png' "):
            run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "train")
    Image.new("RGB", (16, 16)).save(root / "val/masks/b.png")
    with pytest.raises(ValueError, match=r"b\.png' is of shape \(16, 16, 3\)"):
        run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "train")
    outside(root / "val/masks/c.png")
    write_mask(root / "val/masks/b.png")
    with pytest.raises(ValueError, match=r"val/masks/c\.png' holds \[7\]"):
        run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "train")


def test_test_time_augmentation(root: Path) -> None:
    cfg = config(root, "css")
    branches = [[{"type": "RandomFlip", "prob": 0.0}], [{"type": "LoadAnnotations"}], [{"type": "PackSegInputs"}]]
    cfg["test_dataloader"]["dataset"]["pipeline"] = [*LOAD, {"type": "TestTimeAug", "transforms": branches}]
    cfg["model"] = {"type": "SegTTAModel", "module": cfg["model"]}
    outside(root / MASK)
    with pytest.raises(ValueError, match=r"val/masks/b\.png' holds \[7\]"):
        run(cfg, "test")
    write_mask(root / MASK)
    cfg["test_evaluator"]["ignore_index"] = 254
    with pytest.raises(ValueError, match="ignore_index of IoUMetric on the test set=254"):
        run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "test")


def test_a_test_without_masks(root: Path) -> None:
    cfg = config(root, "css")
    for path in (root / "val/masks").iterdir():
        path.unlink()
    cfg["test_evaluator"] = {"type": "IoUMetric", "format_only": True, "output_dir": str(root / "out")}
    cfg["test_dataloader"]["dataset"]["pipeline"] = [*LOAD, {"type": "PackSegInputs"}]
    run(cfg, "test")


def test_files_can_be_left_out(root: Path) -> None:
    outside(root / MASK)
    cfg = Config(config(root, "supervised"))
    cfg.default_hooks = {"data_check": {"files": False}}
    use_data_checks(cfg)
    with pytest.raises(ValueError, match=r"made the labels \[7\]"):  # when it is read
        Runner.from_cfg(cfg).train()


def test_a_config_without_the_check_gets_it(root: Path) -> None:
    plain = config(root, "supervised")
    del plain["default_hooks"]
    cfg = Config(plain)
    use_data_checks(cfg)
    assert any(isinstance(hook, DataCheckHook) for hook in Runner.from_cfg(cfg).hooks)


# -- classes ----------------------------------------------------------------------------------------------------------


def metainfo(*classes: str, palette: list | None = None) -> dict:
    return {"classes": classes, "palette": palette or [[0, 0, 0], [255, 255, 255], [9, 9, 9]][: len(classes)]}


OTHER_CLASSES = [
    (metainfo("background"), "1 classes, the .* 2; the first .* is class 1: None .*'thing'"),
    (metainfo("thing", "background"), "other classes; the first .* is class 0: 'thing' .*'background'"),
    (metainfo("background", "tree"), "other classes; the first .* is class 1: 'tree' .*'thing'"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("other", "message"), OTHER_CLASSES)
def test_other_classes_in_validation(root: Path, method: str, other: dict, message: str) -> None:
    for name in "abc":
        write_mask(root / f"val/masks/{name}.png", np.zeros((16, 16), np.uint8))
    cfg = config(root, method)
    cfg["val_dataloader"]["dataset"]["metainfo"] = other
    if len(other["classes"]) == 1:
        message = "num_classes=2, but the validation set has 1 classes"
    with pytest.raises(ValueError, match=message):
        run(cfg, "train")


def save(root: Path, method: str) -> str:
    """A checkpoint of one step."""
    cfg = config(root, method)
    cfg.pop("val_dataloader"), cfg.pop("val_cfg"), cfg.pop("val_evaluator")
    runner = Runner.from_cfg(Config(cfg))
    runner.train()
    path = root / "work_dir" / "iter_1.pth"
    runner.save_checkpoint(str(path.parent), path.name, by_epoch=False)
    return str(path)


@pytest.mark.parametrize(("other", "message"), OTHER_CLASSES[1:])
def test_other_classes_in_the_test_than_were_learnt(root: Path, other: dict, message: str) -> None:
    cfg = config(root, "css")
    cfg["load_from"] = save(root, "css")
    cfg["test_dataloader"]["dataset"]["metainfo"] = other
    with pytest.raises(ValueError, match=f"the test set has {message} in the training of the checkpoint"):
        run(cfg, "test")


def test_classes_that_changed_before_a_resume(root: Path) -> None:
    cfg = config(root, "css")
    cfg.update(load_from=save(root, "css"), resume=True)
    cfg["train_cfg"]["max_iters"] = 2
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["metainfo"] = metainfo("thing", "background")
    with pytest.raises(ValueError, match="the training set has other classes; .* in the training of the checkpoint"):
        run(cfg, "train")


def test_other_weights_may_have_learnt_anything(root: Path) -> None:
    cfg = config(root, "css")
    cfg["load_from"] = save(root, "css")
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["metainfo"] = metainfo("thing", "background")
    run(cfg, "train")


@pytest.mark.parametrize("method", METHODS)
def test_a_zero_label_that_is_ignored_on_one_side(root: Path, method: str) -> None:
    """The validation's labels are then one above what is learnt, all of them classes but for the last: mIoU 0.0."""
    labels = np.eye(16, dtype=np.uint8) + 1
    for name in "abcd":
        write_mask(root / f"train/masks/{name}.png", labels)
    cfg = config(root, method)
    labeled_of(cfg)["reduce_zero_label"] = True
    with pytest.raises(
        ValueError, match="reduce_zero_label is False in the validation set and True in the training set"
    ):
        run(cfg, "train")
    cfg = config(root, method)
    cfg["load_from"] = save_reduced(root, method)
    with pytest.raises(
        ValueError, match="reduce_zero_label is False in the test set and True in the training of the ch"
    ):
        run(cfg, "test")


def save_reduced(root: Path, method: str) -> str:
    path = save_path = root / "reduced.pth"
    cfg = config(root, method)
    labeled_of(cfg)["reduce_zero_label"] = True
    cfg.pop("val_dataloader"), cfg.pop("val_cfg"), cfg.pop("val_evaluator")
    runner = Runner.from_cfg(Config(cfg))
    runner.train()
    runner.save_checkpoint(str(path.parent), save_path.name, by_epoch=False)
    return str(path)


def test_another_palette_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(checks.classes, "print_log", lambda message, **_: said.append(message))
    run(config(root, "css"), "train")
    assert not said
    cfg = config(root, "css")
    cfg["val_dataloader"]["dataset"]["metainfo"] = {**METAINFO, "palette": [[1, 1, 1], [2, 2, 2]]}
    run(cfg, "train")
    assert ["the validation set has another palette" in message for message in said] == [True]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stage", ["train", "test"])
def test_as_many_outputs_as_classes(root: Path, method: str, stage: str) -> None:
    cfg = config(root, method)
    head_of(cfg)["num_classes"] = 3
    with pytest.raises(
        ValueError, match=r"decode_head\.num_classes=3, but the \w+ set has 2 classes \(background, thing"
    ):
        run(cfg, stage)


# -- the ignored label ------------------------------------------------------------------------------------------------


def set_head(cfg: dict) -> None:
    head_of(cfg)["ignore_index"] = 0


def set_padding(cfg: dict) -> None:
    cfg["model"]["data_preprocessor"]["seg_pad_val"] = 254


def set_metric(cfg: dict) -> None:
    cfg["val_evaluator"]["ignore_index"] = 0


def set_training_set(cfg: dict) -> None:
    labeled_of(cfg)["ignore_index"] = 254


def set_validation_set(cfg: dict) -> None:
    cfg["val_dataloader"]["dataset"]["ignore_index"] = 254


def set_crop(cfg: dict) -> None:
    crop = {"type": "RandomCrop", "crop_size": (12, 12), "cat_max_ratio": 0.75, "ignore_index": 254}
    labeled_of(cfg)["pipeline"] = [*EVALUATE[:2], crop, EVALUATE[2]]


def set_pad(cfg: dict) -> None:
    pad = {"type": "Pad", "size": (16, 16), "pad_val": {"img": 0, "seg": 254}}
    labeled_of(cfg)["pipeline"] = [*EVALUATE[:2], pad, EVALUATE[2]]


def set_rotation(cfg: dict) -> None:
    rotate = {"type": "RandomRotate", "prob": 0.5, "degree": 10, "seg_pad_val": 254}
    labeled_of(cfg)["pipeline"] = [*EVALUATE[:2], {"type": "RandomApply", "transforms": [rotate]}, EVALUATE[2]]


def set_loss(cfg: dict) -> None:
    own = {"type": "DiceLoss", "ignore_index": 254}
    head_of(cfg)["loss_decode"] = [{"type": "PixelCrossEntropyLoss"}, own]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_head, r"decode_head\.ignore_index=0, but .*model\.data_preprocessor\.seg_pad_val=255"),
        (set_padding, r"data_preprocessor\.seg_pad_val=254"),
        (set_metric, "ignore_index of IoUMetric on the validation set=0"),
        (set_training_set, r"ignore_index of the training set \(BaseSegDataset\)=254"),
        (set_validation_set, r"ignore_index of the validation set \(BaseSegDataset\)=254"),
        (set_crop, "ignore_index of RandomCrop in the pipeline of the training set=254"),
        (set_pad, r"pad_val\['seg'\] of Pad in the pipeline of the training set=254"),
        (set_rotation, "seg_pad_val of RandomRotate in the pipeline of the training set=254"),
        (set_loss, r"decode_head\.loss_decode\.1\.ignore_index=254"),
    ],
)
def test_one_ignored_label(root: Path, method: str, change: Change, message: str) -> None:
    cfg = config(root, method)
    change(cfg)
    with pytest.raises(ValueError, match=rf"{message}.*Set all of them to "):
        run(cfg, "train")


def test_a_metric_that_counts_what_the_head_ignores(root: Path) -> None:
    cfg = config(root, "supervised")
    cfg["test_evaluator"]["ignore_index"] = 0
    with pytest.raises(ValueError, match="but ignore_index of IoUMetric on the test set=0: "):
        run(cfg, "test")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 254])
def test_another_ignored_label_everywhere(root: Path, method: str, value: int) -> None:
    """What is consistent trains: the padding of images smaller than the batch included."""
    for number, name in enumerate("abcd"):
        labels = np.eye(16, dtype=np.uint8)
        labels[:3] = value
        write_mask(root / f"train/masks/{name}.png", labels[:, : 8 + number])
        picture = np.asarray(Image.open(root / f"train/images/{name}.png"))
        Image.fromarray(picture[:, : 8 + number]).save(root / f"train/images/{name}.png")
    cfg = config(root, method)
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["ignore_index"] = value
    head_of(cfg)["ignore_index"] = cfg["model"]["data_preprocessor"]["seg_pad_val"] = value
    cfg["val_evaluator"]["ignore_index"] = value
    run(cfg, "train")


# -- files named after images -----------------------------------------------------------------------------------------


def test_predictions_that_would_overwrite_each_other(root: Path) -> None:
    cfg = config(root, "supervised")
    cfg["test_dataloader"]["dataset"]["data_prefix"] = {"img_path": "", "seg_map_path": ""}
    write_pairs(root / "val", ["site 1/frame", "site 2/frame"])
    test = cfg["test_dataloader"]["dataset"]
    test.update(data_prefix={"img_path": "images", "seg_map_path": "masks"})
    cfg["test_evaluator"]["output_dir"] = str(root / "out")
    with pytest.raises(
        ValueError, match=r"site 1/frame\.png' and '.*site 2/frame\.png' would both be .*out/frame\.png"
    ):
        run(cfg, "test")
    test["data_prefix"] = {"img_path": "images/site 1", "seg_map_path": "masks/site 1"}
    run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "test")
    assert [path.name for path in (root / "out").iterdir()] == ["frame.png"]
