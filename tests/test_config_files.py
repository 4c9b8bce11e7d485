"""What is wrong with a config file is said with its name."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmseg_css.config_files import read_config
from mmseg_css.engine.checkpoints import no_checkpoint
from mmseg_css.typos import check_top_level, explained


@pytest.mark.parametrize(
    ("files", "kind", "message"),
    [
        ({}, FileNotFoundError, r"there is no config .*config\.py$"),
        (
            {"config.py": "_base_ = './base.py'"},
            FileNotFoundError,
            r"config\.py is based on .*base\.py, which is",
        ),
        ({"config.py": "a = dict(\n"}, ValueError, r"config\.py is no Python: .*, line 1"),
        (
            {"config.py": "_base_ = './base.py'", "base.py": "\na = dict(\n"},
            ValueError,
            r"a file that .*config\.py is based on is no Python: .*, line 2",
        ),
    ],
)
def test_faults(tmp_path: Path, files: dict[str, str], kind: type[Exception], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(kind, match=message):
        read_config(tmp_path / "config.py")


def test_a_file_that_a_config_reads_is_no_config(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(f"classes = open({str(tmp_path / 'classes.txt')!r}).read()")
    with pytest.raises(FileNotFoundError, match=r"classes\.txt") as error:
        read_config(tmp_path / "config.py")
    assert "_base_" not in str(error.value)


def test_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_text("")
    with pytest.raises(ValueError, match=r"weights\.pth is no config: configs end in \.py"):
        read_config(tmp_path / "weights.pth")


@pytest.mark.parametrize("settings", [{"a": {}}, {}])
def test_a_key_that_is_needed(settings: dict) -> None:
    with pytest.raises(KeyError, match=r"the config has no a\.b: name a config of configs/"):
        check_top_level(Config(settings, format_python_code=False), ("a.b",))
    check_top_level(Config({"a": {"b": 1}}, format_python_code=False), ("a.b",))


def test_without_a_scope_nothing_of_mmseg_is_known() -> None:
    """Its names are right, and "did you mean 'CSS'?" would not help."""
    cfg = Config({"model": {"type": "CSS"}}, format_python_code=False)
    with (
        pytest.raises(KeyError, match="no default_scope, so that CSS .*: set default_scope='mmseg'"),
        explained(cfg),
    ):
        raise KeyError("CSS is not in the mmengine::model registry. Please check")


def test_checkpoints_that_there_are(tmp_path: Path) -> None:
    asked = str(tmp_path / "iter_2000.pth")
    assert no_checkpoint(asked).endswith(f"and none in {tmp_path}")
    (tmp_path / "iter_1000.pth").touch()
    assert no_checkpoint(asked) == f"there is no checkpoint {asked}; there are {tmp_path / 'iter_1000.pth'}"


BASE = (
    "max_iters = 3500\ncrop = (64, 64)\nlimits = dict(a=1)\nnote = 'one'\n"
    "head = dict(type='Head', dropout=0.1)\n"
    "train_cfg = dict(max_iters=max_iters)\nmodel = dict(size=crop, head=head)\n"
)


@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("line", ["max_iters = 10000", "crop = (32, 32)", "head = dict(dropout=0.5)"])
def test_a_variable_that_nothing_follows(tmp_path: Path, line: str, chain: bool) -> None:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "between.py").write_text("_base_ = 'base.py'\n")
    (tmp_path / "config.py").write_text(f"_base_ = ['{'between' if chain else 'base'}.py']\n{line}\n")
    with pytest.raises(ValueError, match=rf"config\.py sets {line.split()[0]}, a variable of a file"):
        read_config(tmp_path / "config.py")


@pytest.mark.parametrize(
    "text",
    [
        "max_iters = 10000\ntrain_cfg = dict(max_iters=max_iters)",  # used here
        "max_iters = 3500",  # nothing changes
        "mine = 7",  # of nobody's else
        "limits = dict(a=2)",  # for configs that are based on this one
        "load_from = 'some.pth'",  # a setting
        "max_iters = 20\ntrain_cfg = dict(max_iters=20)",  # set as well
        "crop = [64, 64]",  # the same in other words
        "note = 'another'",  # used by nobody
        "head = dict(dropout=0.5)\nmodel = dict(head=dict(dropout=0.5))",  # set as well
        "head = dict(dropout=0.5)\nmodel = dict(head={**_base_.head, **head})",  # used here
        "head = dict(dropout=0.1)",  # nothing changes
        "optimizer = dict(lr=1)\noptim_wrapper = dict(optimizer=optimizer)",  # a variable of one's own
    ],
)
def test_variables_that_do_no_harm(tmp_path: Path, text: str) -> None:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "config.py").write_text(f"_base_ = 'base.py'\n{text}\n")
    read_config(tmp_path / "config.py")


def test_a_variable_of_a_config_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("_base_ = 'mmseg_css::css/css_lite0_demo.py'\nmax_iters = 10000\n")
    with pytest.raises(ValueError, match=r"config\.py sets max_iters, a variable of a file"):
        read_config(tmp_path / "config.py")


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("optimizer = dict(type='SGD', lr=1)", r"optim_wrapper=dict\(optimizer"),
        ("lr_config = dict(policy='poly')", "param_scheduler"),
        ("data = dict(samples_per_gpu=2)", "train_dataloader"),
    ],
)
def test_what_mmsegmentation_set_before(tmp_path: Path, line: str, instead: str) -> None:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "config.py").write_text(f"_base_ = 'base.py'\n{line}\n")
    with pytest.raises(ValueError, match=rf"as in MMSegmentation 0\.x, which nothing reads: set {instead}"):
        read_config(tmp_path / "config.py")


def test_a_dumped_config_has_variables_beside_what_they_became(tmp_path: Path) -> None:
    """As work dirs hold it, of MMSegmentation's own schedules."""
    (tmp_path / "base.py").write_text("optimizer = dict(type='SGD', lr=1)\noptim_wrapper = dict(optimizer=optimizer)\n")
    (tmp_path / "config.py").write_text("_base_ = 'base.py'\n")
    read_config(tmp_path / "config.py").dump(tmp_path / "dumped.py")
    assert read_config(tmp_path / "dumped.py").optimizer.lr == 1


def test_a_base_that_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "config.py").write_text("_base_ = ['./ba' + 'se.py']\nmax_iters = 10000\n")
    read_config(tmp_path / "config.py")  # which bases it has is not known before


READ = "dict(type='LoadImageFromFile')"
MORE = f"[{READ}, dict(type='Resize', scale=(8, 8))]"


@pytest.mark.parametrize("before", [f"test_pipeline = [{READ}]\n", ""])
def test_a_test_pipeline_beside_that_of_the_data(tmp_path: Path, before: str) -> None:
    """Tests and predictions read that of the data."""
    used = "test_pipeline" if before else f"[{READ}]"
    (tmp_path / "base.py").write_text(f"{before}test_dataloader = dict(dataset=dict(pipeline={used}))\n")
    (tmp_path / "config.py").write_text(f"_base_ = 'base.py'\ntest_pipeline = {MORE}\n")
    with pytest.raises(ValueError, match=r"sets test_pipeline, .*test_dataloader=dict\(dataset=dict\(pipeline="):
        read_config(tmp_path / "config.py")
    (tmp_path / "config.py").write_text(
        f"_base_ = 'base.py'\ntest_pipeline = {MORE}\ntest_dataloader = dict(dataset=dict(pipeline=test_pipeline))\n"
    )
    assert len(read_config(tmp_path / "config.py").test_dataloader.dataset.pipeline) == 2
    (tmp_path / "config.py").write_text(
        f"_base_ = 'base.py'\ntest_pipeline = {MORE}\ntest_dataloader = dict(dataset=dict(pipeline={MORE}))\n"
    )
    read_config(tmp_path / "config.py")


def test_a_test_pipeline_without_test_data(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(f"test_pipeline = [{READ}]\ntest_dataloader = None\n")
    (tmp_path / "config.py").write_text(f"_base_ = 'base.py'\ntest_pipeline = {MORE}\n")
    assert len(read_config(tmp_path / "config.py").test_pipeline) == 2


def dumped(tmp_path: Path, text: str) -> Path:
    """A config that is based on one as work dirs hold it."""
    (tmp_path / "base.py").write_text(BASE)
    read_config(tmp_path / "base.py").dump(tmp_path / "dumped.py")
    (tmp_path / "config.py").write_text(f"_base_ = 'dumped.py'\n{text}\n")
    return tmp_path / "config.py"


@pytest.mark.parametrize("line", ["max_iters = 7", "head = dict(dropout=0.5)"])
def test_a_variable_of_a_dumped_config(tmp_path: Path, line: str) -> None:
    """Which holds them beside the settings that they became."""
    with pytest.raises(ValueError, match=rf"config\.py sets {line.split()[0]}, a variable of a file"):
        read_config(dumped(tmp_path, line))


@pytest.mark.parametrize(
    "text",
    ["train_cfg = dict(max_iters=7)", "max_iters = 7\ntrain_cfg = dict(max_iters=7)", "crop = [64, 64]", "a = 1"],
)
def test_what_a_dumped_config_takes(tmp_path: Path, text: str) -> None:
    read_config(dumped(tmp_path, text))


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "other.pth").touch()
    assert no_checkpoint(str(folder)) == f"{folder} is a folder and no checkpoint, and none lies in it"
    (folder / "iter_1.pth").touch()
    assert no_checkpoint(str(folder)) == f"{folder} is a folder and no checkpoint; there are {folder / 'iter_1.pth'}"
