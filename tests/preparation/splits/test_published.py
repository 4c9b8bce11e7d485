"""tools/make_split.py: import and verify, with stand-ins, so that the published lists themselves are not needed."""

from pathlib import Path

import pytest

from mmseg_css.cli.main import call
from mmseg_css.datasets.protocols import PROTOCOLS, Protocol
from mmseg_css.datasets.splits import fingerprint
from mmseg_css.preparation.splits import generate as make_split
from mmseg_css.preparation.splits.generate import import_list


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, list[str]]:
    """Two small protocols in the registry, their lists in a repository `theirs`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    lists = {
        "voc-small-2": ["2007_000032", "2007_000039"],
        "cityscapes-small-2": ["ulm_000000_000019", "jena_000000_000019"],
    }
    for name, ids in lists.items():
        family = name.removesuffix("-2")
        data_set = name.split("-")[0]
        path = tmp_path / "theirs" / data_set / "labeled.txt"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{image_id}\n" for image_id in ids))
        protocol = Protocol(
            name, data_set, "U2PL", f"{data_set}/labeled.txt", "nobody", 2, fingerprint(ids), None, f"{family}-2.txt"
        )
        monkeypatch.setitem(PROTOCOLS, name, protocol)
        monkeypatch.setitem(make_split.identify.__globals__["_NAMES"], protocol.fingerprint, name)
    (tmp_path / "theirs" / "notes.txt").write_text("a\na\n")
    return lists


def test_import_finds_the_list_in_a_folder(registry: dict, capsys: pytest.CaptureFixture) -> None:
    call(["split", "import", "cityscapes-small-2", "theirs"])
    out = Path("data/splits/cityscapes-small-2.txt")
    assert out.read_text() == "jena/jena_000000_000019\nulm/ulm_000000_000019\n"
    assert f"{out} is cityscapes-small-2 (2 images, fingerprint " in capsys.readouterr().out
    call(["split", "import", "voc-small-2", "theirs/voc/labeled.txt", "--out", "here.txt"])
    assert Path("here.txt").read_text() == "2007_000032\n2007_000039\n"


def test_import_refuses_another_list(registry: dict) -> None:
    with pytest.raises(
        (OSError, ValueError), match=r"is not voc-small-2 \(2 images, .*; it is cityscapes-small-2 \(2 images"
    ):
        call(["split", "import", "voc-small-2", "theirs/cityscapes/labeled.txt"])
    Path("own.txt").write_text("2007_000032\n2007_000033\n")
    with pytest.raises(
        (OSError, ValueError), match=r"it is a custom list \(2 images, fingerprint .*Nothing was written"
    ):
        call(["split", "import", "voc-small-2", "own.txt"])
    with pytest.raises(
        (OSError, ValueError), match=r"no list in 'theirs' is voc-classic-92 .* 2 others.*: .*voc-small-2"
    ):
        call(["split", "import", "voc-classic-92", "theirs"])
    with pytest.raises((OSError, ValueError), match="there is no list or folder 'nowhere'"):
        call(["split", "import", "voc-small-2", "nowhere"])
    with pytest.raises((OSError, ValueError), match="'2' names no protocol: a bare size"):
        call(["split", "import", "2", "theirs"])
    assert not Path("data").exists()


def test_import_overwrites_nothing_else(registry: dict) -> None:
    Path("own.txt").write_text("2007_000032\n")
    with pytest.raises(FileExistsError, match="'own.txt' holds another list"):
        import_list("voc-small-2", Path("theirs"), Path("own.txt"))


def test_verify(registry: dict, capsys: pytest.CaptureFixture) -> None:
    call(["split", "verify", "theirs/voc/labeled.txt"])
    said = capsys.readouterr().out
    assert "voc-small-2" in said
    assert fingerprint(registry["voc-small-2"]) in said
    Path("own.txt").write_text("2007_000032\n2007_000033\n")
    call(["split", "verify", "own.txt"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "protocol custom images 2" in said
    assert "same size, other images voc-small-2, cityscapes-small-2" in said
    with pytest.raises((OSError, ValueError), match="there is no list of images 'nothing.txt'"):
        call(["split", "verify", "nothing.txt"])
