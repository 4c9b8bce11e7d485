"""tools/train.py and tools/test.py on a tiny demo data set, from the command line to the checkpoint and back."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.models.segmentors import EncoderDecoder, SegTTAModel
from torch import Tensor

from tests.configs.helpers import ROOT
from tests.e2e.conftest import SIDE, MakeConfig, train
from tests.models import helpers  # noqa: F401  (registers TinyBackbone)
from tests.test_tools import load_tool

test_tool = load_tool("test")


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


def log_of(work_dir: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(work_dir.rglob("*.log")))


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Bit for bit, through dicts and lists."""
    assert type(one) is type(other), where
    if isinstance(one, Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    else:
        assert one == other, where


# -- training ---------------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_training_leaves_checkpoints_logs_and_the_config(trained: Path) -> None:
    assert sorted(path.name for path in trained.glob("*.pth")) == ["best_mIoU_iter_4.pth", "iter_2.pth", "iter_4.pth"]
    [dumped] = trained.glob("*.py")
    assert Config.fromfile(dumped).model.type == "CSS"
    log = log_of(trained)
    for name in ("sup.loss_ohem", "unsup.loss_pseudo_label", "unsup.loss_contrast", "unsup.kept", "eta"):
        assert f"{name}: " in log, name
    assert "mIoU: " in log
    [scalars] = trained.rglob("scalars.json")
    losses = [entry["loss"] for entry in map(json.loads, scalars.read_text().splitlines()) if "loss" in entry]
    assert len(losses) == 4
    assert np.isfinite(losses).all()
    assert list(trained.rglob("events.out.tfevents*"))  # TensorBoard


def test_checkpoint_holds_all_the_state(trained: Path) -> None:
    state = load(trained / "iter_4.pth")["state_dict"]
    assert state["teacher._extra_state"] == 4
    assert state["bank.seen"].any()
    assert not any("pending" in name for name in state)
    students = {name.removeprefix("student.") for name in state if name.startswith("student.")}
    teachers = {name.removeprefix("teacher.model.") for name in state if name.startswith("teacher.model.")}
    assert students == teachers


@pytest.mark.parametrize("num_workers", [0, 1])
def test_resumed_training_ends_where_the_uninterrupted_one_does(
    make_config: MakeConfig, trained: Path, tmp_path: Path, num_workers: int
) -> None:
    """Bit for bit: student, teacher, prototypes, optimiser; whichever process loads the images.

    The latest checkpoint is truncated, so that the one before is taken.
    """
    shutil.copy(trained / "iter_2.pth", tmp_path)
    (tmp_path / "iter_3.pth").write_bytes((trained / "iter_2.pth").read_bytes()[:-1000])
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_3.pth"))
    resumed = make_config(f"resumed-{num_workers}", {"train_dataloader.num_workers": num_workers})
    train(resumed, tmp_path, "--resume")
    assert "iter_3.pth is truncated or corrupt" in log_of(tmp_path)
    assert not (tmp_path / "iter_1.pth").exists()
    whole, rest = (load(work_dir / "iter_4.pth") for work_dir in (trained, tmp_path))
    for key in ("state_dict", "optimizer", "param_schedulers"):
        assert_same(whole[key], rest[key], key)
    assert rest["meta"]["iter"] == 4
    before = load(trained / "iter_2.pth")["state_dict"]
    assert not torch.equal(before["bank.prototypes"], rest["state_dict"]["bank.prototypes"])


def test_pc2seg_trains_resumes_and_is_tested(make_config: MakeConfig, tmp_path: Path) -> None:
    whole, rest = tmp_path / "whole", tmp_path / "rest"
    train(make_config("pc2seg", method="pc2seg"), whole)
    for name in ("sup.loss_ohem", "unsup.loss_consistency", "unsup.loss_contrast", "unsup.agreement", "mIoU"):
        assert f"{name}: " in log_of(whole), name
    rest.mkdir()
    shutil.copy(whole / "iter_2.pth", rest)
    (rest / "last_checkpoint").write_text(str(rest / "iter_2.pth"))
    config = make_config("pc2seg-resumed", method="pc2seg")
    train(config, rest, "--resume")
    first, second = (load(work_dir / "iter_4.pth") for work_dir in (whole, rest))
    for key in ("state_dict", "optimizer", "param_schedulers"):
        assert_same(first[key], second[key], key)
    assert not any("teacher" in name for name in first["state_dict"])
    test_tool.main([str(config), str(rest / "iter_4.pth"), "--work-dir", str(tmp_path / "tested")])
    assert "mIoU: " in log_of(tmp_path / "tested")
    with pytest.raises(ValueError, match=r"\(PC2Seg\) has no teacher and student"):
        test_tool.main([str(config), str(rest / "iter_4.pth"), "--predict-on", "teacher"])


def test_mixed_precision_and_gradient_accumulation(make_config: MakeConfig, tmp_path: Path) -> None:
    changes = {"optim_wrapper.accumulative_counts": 2, "train_cfg.val_begin": 100}
    train(make_config("amp", changes), tmp_path, "--amp")
    assert "bfloat16" in log_of(tmp_path)
    state = load(tmp_path / "iter_4.pth")["state_dict"]
    assert state["teacher._extra_state"] == 2
    for name, value in state.items():
        if isinstance(value, Tensor) and value.is_floating_point():
            assert value.dtype == torch.float32, name
            assert torch.isfinite(value).all(), name


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile on the CPU needs g++")
def test_compiled_backbone(make_config: MakeConfig, trained: Path, tmp_path: Path) -> None:
    """The step is the same up to rounding, and so are the names in the checkpoint."""
    changes = {
        "model.segmentor.backbone": {"type": "TinyBackbone", "_delete_": True},
        "model.segmentor.decode_head": {"in_channels": 8, "low_in_channels": 8},
        "train_cfg": {"max_iters": 1, "val_begin": 100},
    }
    losses, names = [], []
    for compiled in (False, True):
        name = f"compiled-{compiled}"
        config = make_config(name, changes | {"model.compile_backbone": compiled})
        train(config, tmp_path / name)
        [scalars] = (tmp_path / name).rglob("scalars.json")
        losses.append(json.loads(scalars.read_text().splitlines()[0])["loss"])
        names.append(list(load(tmp_path / name / "iter_1.pth")["state_dict"]))
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert names[0] == names[1]


def test_two_processes_end_with_one_teacher_and_one_set_of_prototypes(
    make_config: MakeConfig, trained: Path, tmp_path: Path
) -> None:
    """They go on where one process stopped, and one goes on where they stopped."""
    changes = {
        "custom_imports": {"imports": ["mmseg_css", "tests.e2e.rank_dump"]},
        "model.segmentor.decode_head.norm_cfg.type": "SyncBN",  # reverted where there is no GPU
        "train_cfg.max_iters": 5,
        "train_cfg.val_begin": 100,
        "env_cfg.dist_cfg.backend": "gloo",
    }
    config = make_config("two-processes", changes)
    dump = Config.fromfile(config)
    dump.custom_hooks.append({"type": "RankDump"})
    dump.dump(str(config))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command += [str(ROOT / "tools" / "train.py"), str(config), "--work-dir", str(tmp_path), "--launcher", "pytorch"]
    command += ["--resume", str(trained / "iter_2.pth")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, timeout=400, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]

    first, second = (load(tmp_path / f"rank{rank}.pth") for rank in (0, 1))
    assert first["step"] == second["step"] == 5
    assert "written by 1 processes, and now there are 2" in log_of(tmp_path)
    assert first["bank"]["seen"].any()
    for part in ("student", "teacher", "bank"):
        assert_same(first[part], second[part], part)
    assert not torch.equal(first["image"], second["image"])  # each has seen images of its own
    assert not any("Sync" in norm for norm in first["norms"])
    assert "SyncBN became BN in model.segmentor.decode_head" in log_of(tmp_path)

    back = make_config("one-process", {"train_cfg.max_iters": 6, "train_cfg.val_begin": 100})
    train(back, tmp_path, "--resume")
    assert "written by 2 processes, and now there are 1" in log_of(tmp_path)
    assert load(tmp_path / "iter_6.pth")["state_dict"]["teacher._extra_state"] == 6


# -- evaluation -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decided(trained: Path) -> Path:
    """The trained checkpoint, changed so that the teacher sees class 1 everywhere and the student class 2."""
    checkpoint = load(trained / "iter_4.pth")
    for network, chosen in (("teacher.model", 1), ("student", 2)):
        bias = checkpoint["state_dict"][f"{network}.decode_head.conv_seg.bias"]
        bias.zero_()
        bias[chosen] = 1000.0
    path = trained / "decided.pth"
    torch.save(checkpoint, path)
    return path


def evaluate(config: Path, checkpoint: Path, work_dir: Path, *arguments: str) -> dict[str, float]:
    """tools/test.py in this process; the metrics that it wrote."""
    test_tool.main([str(config), str(checkpoint), "--work-dir", str(work_dir), *arguments])
    found = {}
    for path in work_dir.rglob("*.json"):
        network = path.relative_to(work_dir).parts[0]
        found[network] = json.loads(path.read_text().splitlines()[-1])
    return found


def maps(folder: Path) -> set[int]:
    """Classes in the label maps of a folder."""
    files = list(folder.rglob("*.png"))
    assert len(files) == 4
    return set(np.unique([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in files]).tolist())


@pytest.mark.parametrize(
    ("option", "expected"), [([], 1), (["--predict-on", "teacher"], 1), (["--predict-on", "student"], 2)]
)
def test_one_network_predicts(
    make_config: MakeConfig, decided: Path, tmp_path: Path, option: list[str], expected: int
) -> None:
    config = make_config(f"predict-{len(option)}-{expected}")
    evaluate(config, decided, tmp_path / "work", *option, "--out", str(tmp_path / "maps"))
    assert maps(tmp_path / "maps") == {expected}


def test_both_networks_are_compared(
    make_config: MakeConfig, decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--out", str(tmp_path / "maps"), "--show-dir", str(tmp_path / "pictures")]
    found = evaluate(make_config("both"), decided, tmp_path / "work", "--predict-on", "both", *folders)
    rows = {line.split("|")[1].strip(): line for line in capsys.readouterr().out.splitlines() if line.startswith("|")}
    for network, chosen in (("teacher", 1), ("student", 2)):
        assert maps(tmp_path / "maps" / network) == {chosen}
        assert f"{found[network]['mIoU']:.2f}" in rows[network]
        assert list((tmp_path / "pictures" / network).rglob("*.png")), network


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Sizes of the images that a sliding window went over."""
    seen = []
    slide = EncoderDecoder.slide_inference

    def watched(self: EncoderDecoder, inputs: Tensor, *arguments: Any) -> Tensor:
        seen.append(tuple(inputs.shape[-2:]))
        return slide(self, inputs, *arguments)

    monkeypatch.setattr(EncoderDecoder, "slide_inference", watched)
    return seen


@pytest.mark.parametrize(
    ("protocol", "checkpoint"), [("whole", "best_mIoU_iter_4"), ("slide", "iter_4"), ("multi-scale", "iter_4")]
)
def test_protocols_of_evaluation(
    make_config: MakeConfig, trained: Path, tmp_path: Path, windows: list, protocol: str, checkpoint: str
) -> None:
    """Teacher and student by each protocol, from the last and from the best checkpoint."""
    window = tmp_path / "window.py"
    window.write_text("model = dict(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(21, 21)))")
    whole = ROOT / "configs" / "_base_" / "evaluation" / "whole.py"
    arguments = {
        "whole": ["--evaluation", str(whole)],
        "slide": ["--evaluation", str(window)],
        "multi-scale": ["--tta"],
    }
    config = make_config(f"{protocol}-{checkpoint}")
    path = trained / f"{checkpoint}.pth"
    found = evaluate(config, path, tmp_path / "work", "--predict-on", "both", *arguments[protocol])
    assert set(found) == {"teacher", "student"}
    assert all(0 <= metrics["mIoU"] <= 100 for metrics in found.values())
    assert windows == [(SIDE, SIDE)] * (2 if protocol == "slide" else 0)  # one batch for each network


def test_multi_scale_and_flip_average_the_probabilities(
    make_config: MakeConfig, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve views of each image, in its own size again, and the class of the largest mean."""
    merged = []
    merge = SegTTAModel.merge_preds

    def watched(self: SegTTAModel, samples: list) -> list:
        merged.extend(zip(samples, merge(self, samples), strict=True))
        return [sample for _, sample in merged[-len(samples) :]]

    monkeypatch.setattr(SegTTAModel, "merge_preds", watched)
    evaluate(make_config("tta"), trained / "iter_4.pth", tmp_path / "work", "--tta")
    assert len(merged) == 4
    for views, result in merged:
        assert [view.flip for view in views] == [False, True] * 6
        assert {view.img_shape for view in views} == {(side, side) for side in (32, 48, 64, 80, 96, 112)}
        logits = torch.stack([view.seg_logits.data for view in views])
        assert logits.shape[2:] == (SIDE, SIDE)
        assert torch.equal(logits.softmax(1).mean(0).argmax(0), result.pred_sem_seg.data.squeeze())


# -- MMSeg's own tools ------------------------------------------------------------------------------------------------


def test_mmsegs_functions_take_a_css_checkpoint(config: Path, decided: Path, tmp_path: Path) -> None:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    model = init_model(str(config), str(decided), device="cpu")
    assert model.dataset_meta["classes"][1] == "disc"
    result = inference_model(model, image)
    assert (result.pred_sem_seg.data == 1).all()
    assert result.pred_sem_seg.data.shape == (1, SIDE, SIDE)
    student = init_model(str(config), str(decided), device="cpu", cfg_options={"model.predict_on": "student"})
    assert (inference_model(student, image).pred_sem_seg.data == 2).all()


def test_mmsegs_inferencer_takes_a_css_checkpoint(config: Path, decided: Path) -> None:
    inferencer = MMSegInferencer(str(config), weights=str(decided), device="cpu")
    result = inferencer(np.zeros((SIDE, SIDE, 3), np.uint8), return_datasamples=True)
    assert (result.pred_sem_seg.data == 1).all()


def test_teacher_is_an_ordinary_mmseg_model(config: Path, decided: Path) -> None:
    """Its weights, under their own names, go into the plain network: nothing of the plugin is needed to use them."""
    segmentor = Config.fromfile(config).model.segmentor
    segmentor.decode_head.pop("projection")
    segmentor.decode_head.type = "DeepLabV3PlusHead"
    plain = init_model(Config({"model": segmentor}), device="cpu")
    prefix = "teacher.model."
    state = load(decided)["state_dict"]
    weights = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    missing, unexpected = plain.load_state_dict(weights, strict=False)
    assert not missing
    assert all(name.startswith("decode_head.projection.") for name in unexpected)
