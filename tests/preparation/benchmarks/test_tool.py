"""mmseg-css data, from the command line."""

from pathlib import Path

from mmseg_css.cli.main import run
from tests.preparation.benchmarks.conftest import ALL, FIRST, Miniature, contents


@ALL
def test_tool_prepares_checks_and_tells(miniature: Miniature, monkeypatch, capsys) -> None:
    monkeypatch.chdir(miniature.base)
    if miniature.recipe.plan:
        assert run(["data", miniature.name, "--check"]) == 1
        capsys.readouterr()
    before = contents(miniature.base)
    assert run(["data", miniature.name]) == 0
    assert capsys.readouterr().out.endswith("faults: 0\n")
    after = contents(miniature.base)
    assert before.items() <= after.items()
    assert run(["data", miniature.name]) == 0
    assert miniature.recipe.plan is None or "0 files written" in capsys.readouterr().out
    assert run(["data", miniature.name, "--check", "--all"]) == 0
    assert contents(miniature.base) == after
    miniature.mask(FIRST[miniature.name]).unlink()
    assert run(["data", miniature.name, "--check"]) == 1
    assert capsys.readouterr().out.endswith("faults: 1\n")


def test_tool_says_what_is_missing(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["data", "voc"]) == 1
    assert "there is no list 'data/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt'" in capsys.readouterr().err
