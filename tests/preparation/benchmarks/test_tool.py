"""tools/prepare_data.py, from the command line."""

import importlib.util
from pathlib import Path
from typing import Any

from tests.preparation.benchmarks.conftest import ALL, FIRST, REPOSITORY, Miniature, contents


def load_tool() -> Any:
    spec = importlib.util.spec_from_file_location("tools_prepare_data", REPOSITORY / "tools" / "prepare_data.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@ALL
def test_tool_prepares_checks_and_tells(miniature: Miniature, monkeypatch, capsys) -> None:
    main = load_tool().main
    monkeypatch.chdir(miniature.base)
    if miniature.recipe.plan:
        assert main([miniature.name, "--check"]) == 1
        capsys.readouterr()
    before = contents(miniature.base)
    assert main([miniature.name]) == 0
    assert capsys.readouterr().out.endswith("faults: 0\n")
    after = contents(miniature.base)
    assert before.items() <= after.items()
    assert main([miniature.name]) == 0
    assert miniature.recipe.plan is None or "0 files written" in capsys.readouterr().out
    assert main([miniature.name, "--check", "--all"]) == 0
    assert contents(miniature.base) == after
    miniature.mask(FIRST[miniature.name]).unlink()
    assert main([miniature.name, "--check"]) == 1
    assert capsys.readouterr().out.endswith("faults: 1\n")


def test_tool_says_what_is_missing(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_tool().main(["voc"]) == 1
    assert "there is no list 'data/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt'" in capsys.readouterr().err
