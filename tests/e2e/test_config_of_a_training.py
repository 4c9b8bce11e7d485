"""What looks at a training leaves its config as it is, so that it can be trained again."""

import shutil
from pathlib import Path

import pytest
from mmengine.config import Config

from mmseg_css.cli.main import call


@pytest.mark.parametrize(
    "command",
    [
        ["test", "--cfg-options", "model.segmentor.decode_head.dropout_ratio=0.5"],
        ["test", "--tta"],
        ["balance", "--strengths", "0", "0.5"],
        ["diagnose"],
    ],
    ids=" ".join,
)
def test_the_config_stays(command: list[str], config: Path, trained: Path, tmp_path: Path) -> None:
    work_dir = tmp_path / "work"
    work_dir.mkdir()
    for name in (config.name, "iter_4.pth"):
        shutil.copy(trained / name, work_dir)
    before = (work_dir / config.name).read_bytes()
    tool, *options = command
    where = "--out" if tool == "diagnose" else "--work-dir"
    call([tool, str(work_dir / config.name), str(work_dir / "iter_4.pth"), where, str(work_dir), *options])
    assert (work_dir / config.name).read_bytes() == before
    [own] = [path for path in work_dir.rglob(config.name) if path.parent != work_dir]
    assert Config.fromfile(own).load_from == str(work_dir / "iter_4.pth")
    assert own.with_name(f"{own.parent.name}.log").is_file()
