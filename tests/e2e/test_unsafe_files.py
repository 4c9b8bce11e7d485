"""Files from elsewhere: checkpoints that would run code, at every entrance; lists that lead out of the data."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.apis import init_model

from mmseg_css.cli.main import call
from mmseg_css.compat import checkpoints
from mmseg_css.datasets.checks import check_paths
from mmseg_css.deployment.plain import export_segmentor
from tests.compat.helpers import RunsCode
from tests.trained import MakeConfig, train

#: A config that makes a folder. Not by an import, which MMEngine may take for one of its lazy configs.
RUNS = "__import__('os').mkdir({!r})"


@pytest.fixture(scope="module")
def victim(make_config: MakeConfig) -> Path:
    """A config of its own: MMEngine's visualisers go by its name, and would write into the work dir of `trained`."""
    return make_config("unsafe")


@pytest.fixture
def crafted(trained: Path, tmp_path: Path) -> Path:
    """A checkpoint in good order, but for one thing in it."""
    checkpoint = torch.load(trained / "iter_2.pth", weights_only=True)
    checkpoint["message_hub"]["runtime_info"]["note"] = RunsCode(tmp_path / "ran")
    torch.save(checkpoint, tmp_path / "iter_2.pth")
    return tmp_path / "iter_2.pth"


def by_resume(make: MakeConfig, config: Path, file: Path) -> None:
    train(config, file.parent / "work", "--resume", str(file))


def by_resume_of_the_latest(make: MakeConfig, config: Path, file: Path) -> None:
    train(config, file.parent, "--resume")


def by_load_from(make: MakeConfig, config: Path, file: Path) -> None:
    train(make("crafted-load-from", {"load_from": str(file)}), file.parent / "work")


def by_init_cfg(make: MakeConfig, config: Path, file: Path) -> None:
    changes = {"model.init_cfg": {"type": "Pretrained", "checkpoint": str(file)}}
    train(make("crafted-init-cfg", changes), file.parent / "work")


def by_the_test_tool(make: MakeConfig, config: Path, file: Path) -> None:
    call(["test", str(config), str(file), "--work-dir", str(file.parent / "work")])


def by_export(make: MakeConfig, config: Path, file: Path) -> None:
    export_segmentor(config, str(file), file.parent / "exported")


def by_init_model(make: MakeConfig, config: Path, file: Path) -> None:
    init_model(str(config), str(file), device="cpu")


def by_url(make: MakeConfig, config: Path, file: Path) -> None:
    """Downloaded before, which torch does not do again."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    cache.mkdir(parents=True)
    shutil.copy(file, cache / "crafted.pth")
    init_model(str(config), "https://example.invalid/crafted.pth", device="cpu")


ENTRANCES = [
    by_resume,
    by_resume_of_the_latest,
    by_load_from,
    by_init_cfg,
    by_the_test_tool,
    by_export,
    by_init_model,
    by_url,
]


@pytest.mark.parametrize("entrance", ENTRANCES, ids=lambda entrance: entrance.__name__)
def test_a_checkpoint_that_would_run_code_is_refused(
    entrance: Callable[[MakeConfig, Path, Path], None],
    make_config: MakeConfig,
    victim: Path,
    crafted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with pytest.raises(pickle.UnpicklingError, match=r"\.pth.*could run code when loaded.*--trust-checkpoint"):
        entrance(make_config, victim, crafted)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("tool", ["train", "test", "export"])
def test_one_flag_loads_it_all_the_same(
    tool: str, victim: Path, crafted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_trusted", False)  # and so it is afterwards
    if tool == "train":
        train(victim, tmp_path / "work", "--resume", str(crafted), "--trust-checkpoint")
    elif tool == "test":
        call(["test", str(victim), str(crafted), "--work-dir", str(tmp_path / "work"), "--trust-checkpoint"])
    else:
        call(["export", str(victim), str(crafted), str(tmp_path / "exported"), "--trust-checkpoint"])
    assert (tmp_path / "ran").exists()


def test_the_config_in_a_checkpoint_is_not_executed(victim: Path, trained: Path, tmp_path: Path) -> None:
    """MMEngine would, on a resume: a config is Python."""
    checkpoint = torch.load(trained / "iter_4.pth", weights_only=True)
    checkpoint["meta"]["config"] = RUNS.format(str(tmp_path / "ran"))
    torch.save(checkpoint, tmp_path / "iter_4.pth")
    train(victim, tmp_path, "--resume")
    assert not (tmp_path / "ran").exists()


def test_the_config_in_a_checkpoint_fault(tmp_path: Path) -> None:
    """Goes when MMEngine no longer makes a config out of a string in a checkpoint, or runs none of it."""
    Config.fromstring(RUNS.format(str(tmp_path / "ran")), file_format=".py")
    assert (tmp_path / "ran").exists()


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images, and beside their folder one that is none of the data's business."""
    images = tmp_path / "images"
    (images / "town").mkdir(parents=True)
    for name in ("a.png", "town/b.png"):
        (images / name).touch()
    return images


def check(folder: Path, line: str) -> None:
    listed = folder.parent / "list.txt"
    listed.write_text(f"a\n{line}\n")
    check_paths(data_prefix={"img_path": str(folder)}, lists=[str(listed)])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("../outside/secret", r"leads out of the folder of the images \('\.\.'\)"),
        ("town/../../outside/secret.png", r"leads out of the folder of the images \('\.\.'\)"),
        ("/etc/passwd", "is an absolute path"),
        ("C:/secret", "is an absolute path"),
        ("..\\outside\\secret", "holds a backslash"),
    ],
)
def test_lists_cannot_reach_out_of_the_data(folder: Path, line: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"list\.txt', line 2: .*{said}"):
        check(folder, line)


@pytest.mark.parametrize("line", ["town/b", "town/b.png", "not there"])
def test_lists_that_stay_within(folder: Path, line: str) -> None:
    check(folder, line)
    link = folder.parent / "data"
    link.symlink_to(folder)  # the folder itself may be one: the config names it, and not the list
    check(link, line)
