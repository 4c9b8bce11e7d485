"""Published protocols: their names, and that their lists are recognised and imported."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mmseg_css.datasets.protocols import PROTOCOLS, get_protocol, identify
from mmseg_css.datasets.splits import fingerprint, read_ids
from mmseg_css.preparation.splits.generate import import_list
from tests.datasets.helpers import write

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "splits"


def published(name: str) -> Path:
    protocol = PROTOCOLS[name]
    path = PUBLISHED / protocol.source.lower() / protocol.path
    if not path.is_file():
        pytest.skip(f"{path} missing")
    return path


# -- the registry -----------------------------------------------------------------------------------------------------


def test_names_are_those_that_people_say() -> None:
    assert len(PROTOCOLS) == 26
    assert len({protocol.fingerprint for protocol in PROTOCOLS.values()}) == 26
    assert len({protocol.file for protocol in PROTOCOLS.values()}) == 26
    for name in ("voc-classic-92", "voc-blended-u2pl-662", "voc-blended-cps-1323", "cityscapes-unimatch-186"):
        assert get_protocol(name).images == int(name.rsplit("-", 1)[1])
    assert get_protocol("coco-pseudoseg-1/512")[4:6] == ("PseudoSeg, UniMatch", 232)
    assert PROTOCOLS["voc-blended-cps-662"].hq == 0.14
    assert {protocol.hq is None for protocol in PROTOCOLS.values() if protocol.data_set != "voc"} == {True}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("662", "bare size does not say.*choose one of voc-blended-cps-662, voc-blended-u2pl-662$"),
        ("1/512", "bare size.*choose one of coco-pseudoseg-1/512$"),
        ("1/8", "bare size does not say which images are labelled"),
        ("voc-clasic-92", "no published protocol has that name; choose one of voc-classic-92"),
    ],
)
def test_what_is_no_name(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        get_protocol(name)


def test_documentation_holds_the_registry() -> None:
    rows = [
        f"| `{p.name}` | {p.images} | {'' if p.hq is None else f'{p.hq:.1%}'} | {p.source} | `{p.path}` | "
        f"`{p.fingerprint[:12]}` | {p.used_by} |"
        for p in PROTOCOLS.values()
    ]
    text = (ROOT / "docs" / "splits.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("| `")] == rows


# -- fingerprints -----------------------------------------------------------------------------------------------------


def test_fingerprint_is_that_of_the_sorted_ids() -> None:
    expected = hashlib.sha256(b"2007_000032\n2007_000039\n").hexdigest()
    assert fingerprint(["2007_000039", "2007_000032"]) == expected
    cities = ["aachen/aachen_000000_000019", "ulm_000000_000019"]
    assert fingerprint(cities) == hashlib.sha256(b"aachen_000000_000019\nulm_000000_000019\n").hexdigest()


def test_frames_of_two_videos_are_different_images() -> None:
    assert fingerprint(["one/01", "two/02"]) != fingerprint(["one/02", "two/01"])


def test_a_list_of_the_right_size_is_no_protocol() -> None:
    assert identify(f"2007_{number:06d}" for number in range(92)) == "custom"


@pytest.mark.parametrize("name", PROTOCOLS)
def test_published_list_is_recognised_and_imported(name: str, tmp_path: Path) -> None:
    protocol, source = PROTOCOLS[name], published(name)
    assert (len(read_ids(source)), identify(read_ids(source))) == (protocol.images, name)
    out = import_list(name, source, tmp_path / "list.txt")
    lines = out.read_text().splitlines()
    assert read_ids(out, protocol.data_set) == lines == sorted(set(lines))
    assert (len(lines), identify(lines)) == (protocol.images, name)
    assert all(("/" in line) == (protocol.data_set == "cityscapes") for line in lines)


ONE_OF_EACH_FORMAT = ("voc-classic-92", "voc-blended-u2pl-662", "cityscapes-u2pl-186", "coco-pseudoseg-1/512")


@pytest.mark.parametrize("name", ONE_OF_EACH_FORMAT)
@pytest.mark.parametrize(
    "edit",
    [
        lambda line: f"{line}\r",
        lambda line: " ".join(f"./{part}" for part in line.split()),
        lambda line: f"  {line}\n",
    ],
    ids=["CRLF", "./", "blank"],
)
def test_published_list_in_another_form_is_imported(name: str, edit: Callable[[str], str], tmp_path: Path) -> None:
    lines = published(name).read_text().splitlines()
    source = write(tmp_path / "source.txt", "\n".join(map(edit, lines)))
    assert identify(read_ids(import_list(name, source, tmp_path / "list.txt"))) == name


@pytest.mark.parametrize("name", ONE_OF_EACH_FORMAT)
def test_absolute_paths_are_imported_where_the_folder_of_the_images_shows(name: str, tmp_path: Path) -> None:
    lines = published(name).read_text().splitlines()
    source = write(tmp_path / "source.txt", "\n".join(" ".join(f"/data/{part}" for part in x.split()) for x in lines))
    if "/" in lines[0]:
        assert identify(read_ids(import_list(name, source, tmp_path / "list.txt"))) == name
    else:
        with pytest.raises(ValueError, match=r"line 1: '/data/\w+' is an absolute path; write the path below"):
            import_list(name, source, tmp_path / "list.txt")


OUTSIDE = {"voc-classic-92": "2007_000033", "cityscapes-u2pl-186": "frankfurt_000000_000294"}  # validation images


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_list_with_another_image_is_refused(name: str, tmp_path: Path) -> None:
    """One id changed (to one outside of the training set), one missing, one too many, one twice."""
    lines = published(name).read_text().splitlines()
    count = len(lines)
    for first, images in (([OUTSIDE[name]], count), ([], count - 1), ([lines[0], OUTSIDE[name]], count + 1)):
        source = write(tmp_path / "source.txt", "\n".join([*first, *lines[1:]]))
        with pytest.raises(ValueError, match=rf"is not {name} \({count} images, .*a custom list \({images} images, .*"):
            import_list(name, source, tmp_path / "list.txt")
    source = write(tmp_path / "source.txt", "\n".join([*lines, lines[0]]))
    with pytest.raises(ValueError, match=rf"line {count + 1}: .* is listed already, in line 1; remove one of them"):
        import_list(name, source, tmp_path / "list.txt")
    assert not (tmp_path / "list.txt").exists()


def test_shares_of_fine_masks() -> None:
    """A fine mask is one of the 1464, so the lists themselves give the shares."""
    fine = set(read_ids(published("voc-classic-1464")))
    for protocol in PROTOCOLS.values():
        if protocol.data_set == "voc":
            ids = read_ids(published(protocol.name))
            assert len(fine.intersection(ids)) / len(ids) == pytest.approx(protocol.hq, abs=5e-4)
