"""Which images are labelled: the published protocols by name, and how a list of images is read and recognised.

Published lists of the same size differ, some by several points of mIoU. So a protocol is a name, a source, a number of
images and a fingerprint; a bare "1/8" or "662" is none. The lists themselves are their authors' and not contained here.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from os import PathLike
from pathlib import Path, PurePath, PurePosixPath
from typing import Final, Literal, NamedTuple

DataSet = Literal["voc", "cityscapes", "coco"]

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
CUSTOM: Final = "custom"
FOLDER: Final = "data/splits"  # where the configs look for their lists
TOOL: Final = "python tools/make_split.py"
REPOSITORIES: Final = {
    "UniMatch": "https://github.com/LiheYoung/UniMatch",
    "U2PL": "https://github.com/Haochen-Wang409/U2PL",
}

# What published lists put before an id, beside the folders of the data set's own arrangement.
_IMAGE_FOLDER: Final = re.compile(r"(?:.*/)?(?:JPEGImages|leftImg8bit/train|train2017)/")
_CITYSCAPES: Final = re.compile(r"(?:.*/)?((?P<city>[a-z-]+)_\d{6}_\d{6})")
_PATTERNS: Final[dict[DataSet, tuple[re.Pattern[str], str]]] = {
    "voc": (re.compile(r"\d{4}_\d{6}"), "2007_000032"),
    "cityscapes": (_CITYSCAPES, "aachen/aachen_000000_000019"),
    "coco": (re.compile(r"\d{12}"), "000000000139"),
}


# -- the registry -----------------------------------------------------------------------------------------------------


class Protocol(NamedTuple):
    """A published list of labelled images.

    ``source`` is the project that publishes it, ``path`` where it lies in that project's repository, and ``used_by``
    names the works that report on the same images. ``hq`` is the share of images with VOC's own, fine masks (the others
    have SBD's coarser ones), ``None`` for other data sets. ``file`` is its name in the folder that the configs read.
    """

    name: str
    data_set: DataSet
    source: str
    path: str
    used_by: str
    images: int
    fingerprint: str
    hq: float | None
    file: str


class _Family(NamedTuple):
    name: str
    data_set: DataSet
    source: str
    folder: str
    used_by: str


_VOC_CLASSIC: Final = _Family(
    "voc-classic", "voc", "UniMatch", "splits/pascal", "PseudoSeg, ST++, U2PL, UniMatch, CorrMatch, AllSpark, AugSeg"
)
_VOC_CPS: Final = _Family(
    "voc-blended-cps", "voc", "UniMatch", "splits/pascal", "CPS, UniMatch, CorrMatch, AllSpark, AugSeg"
)
_VOC_U2PL: Final = _Family("voc-blended-u2pl", "voc", "U2PL", "data/splits/pascal", "U2PL, CSS")
_CITY_UNIMATCH: Final = _Family(
    "cityscapes-unimatch", "cityscapes", "UniMatch", "splits/cityscapes", "CPS, UniMatch, AllSpark, AugSeg"
)
_CITY_U2PL: Final = _Family("cityscapes-u2pl", "cityscapes", "U2PL", "data/splits/cityscapes", "U2PL")
_COCO: Final = _Family("coco-pseudoseg", "coco", "UniMatch", "splits/coco", "PseudoSeg, UniMatch")

# Family, size as in the name, folder below the family's, images, share of fine masks, fingerprint.
_LISTS: Final[tuple[tuple[_Family, str, str, int, float | None, str], ...]] = (
    (_VOC_CLASSIC, "92", "92", 92, 1.0, "325a965b6206ac6e9c4c86961d5f4d9f1aff9c361c42dc79719ca85de7e64cc6"),
    (_VOC_CLASSIC, "183", "183", 183, 1.0, "3b208061a59a42b4954b136dc46b00f263178ebf25ead1164eb3509ab6657ce1"),
    (_VOC_CLASSIC, "366", "366", 366, 1.0, "ea8aa0b2ceedf56b536241b16b57fadfd9c0c8301bd93f7c9b7ad6df2ffc4c26"),
    (_VOC_CLASSIC, "732", "732", 732, 1.0, "81c3256e4a7fc4c31b6b1e9084c44eec318b44c58c622283035d02f6b17c0137"),
    (_VOC_CLASSIC, "1464", "1464", 1464, 1.0, "aa623bd2c8ce4443a8aaae51c524c0eb165e8e44caf6aa9e3ad33d7b75a3ef20"),
    (_VOC_CPS, "662", "1_16", 662, 0.140, "7dada8ccc5eb6309b4b81e172dfc24f0d83ea72078675083778ca10487182748"),
    (_VOC_CPS, "1323", "1_8", 1323, 0.146, "df63f50a798512c3befb5364052733bd8bc169f609e034e9f55b5853798ead10"),
    (_VOC_CPS, "2646", "1_4", 2646, 0.147, "62c450787069b36d88ea7bb35895a808885720ae833bae8b9c81775731062ea1"),
    (_VOC_U2PL, "662", "662", 662, 1.0, "0c6466b63b2f52069830afd605968347ec2696b15d25b91329d77d203023c1b1"),
    (_VOC_U2PL, "1323", "1323", 1323, 1.0, "2f24ef964761485ffeb474d2e312d92cf4135e0032e54d0574a3a8a72546e444"),
    (_VOC_U2PL, "2646", "2646", 2646, 0.553, "3c653f4ff30f3c059b091ea51a8ac90e0481aab837721c404e73cbe0a4a14aa9"),
    (_VOC_U2PL, "5291", "5291", 5291, 0.277, "8ef07e486384a8252039367570eac09e86e9a1ea1876da9128267030163b8b4d"),
    (_CITY_UNIMATCH, "100", "1_30", 100, None, "d356a23daa743733be4afc4b4e5ce286ff4ad35b00a442266ea721713c78b219"),
    (_CITY_UNIMATCH, "186", "1_16", 186, None, "dc2a06a86232bc32e733a8ae33e60807e9b017bf9dd5ce03b106426f3c96c496"),
    (_CITY_UNIMATCH, "372", "1_8", 372, None, "2755fe0b6533339404a82029602157051c7be06d9d775ce445f5e5c43767d3bc"),
    (_CITY_UNIMATCH, "744", "1_4", 744, None, "605f06bce9cb841e11db460b00e05c6edfdbd3e66a390f3ade7ef00172af4694"),
    (_CITY_UNIMATCH, "1488", "1_2", 1488, None, "f071d8e32b163da41105b296af66975544141343a3af44449f74dd30a16facc9"),
    (_CITY_U2PL, "186", "186", 186, None, "c9b2d8a6a7290bcaf224c7cdec576682a677f7248a36dbfde498c55962a363fa"),
    (_CITY_U2PL, "372", "372", 372, None, "af350f9ea948a470ca54a5c0fa8c9829a30ce537825aa9d3de2d450a9bbcc839"),
    (_CITY_U2PL, "744", "744", 744, None, "d787c1a5a4d0e4b8dbff17803e79a1eb2b7e96516fd89a36a3eb1923a6f8bac9"),
    (_CITY_U2PL, "1488", "1488", 1488, None, "245bcea234d21ace2a4f968503cd0662f88b1ace5096d8040e393b8c4c0eb2ca"),
    (_COCO, "1/512", "1_512", 232, None, "67defdabc1ae060bf545dcaccd9e51620c398ede6342fb0efe002afd273d228f"),
    (_COCO, "1/256", "1_256", 463, None, "5544ded2cdec4fb0341275f0197b85519d10a49a8981ad57bf3c19deaf7ab621"),
    (_COCO, "1/128", "1_128", 925, None, "4b6fec1f28d42050c81d2282605c732654203318df6f6879615a6aa968dc6c53"),
    (_COCO, "1/64", "1_64", 1849, None, "f53fa8b35efc7b3566b6317d9bffdba835efc933e6cb82877da518923a846926"),
    (_COCO, "1/32", "1_32", 3697, None, "2d8bc09bea3afaf3b0201543fdbff4d9b3749151edc37a4f00ae6b9c55b087e5"),
)


def _protocols() -> Iterator[Protocol]:
    for family, size, folder, count, hq, digest in _LISTS:
        yield Protocol(
            name=f"{family.name}-{size}",
            data_set=family.data_set,
            source=family.source,
            path=f"{family.folder}/{folder}/labeled.txt",
            used_by=family.used_by,
            images=count,
            fingerprint=digest,
            hq=hq,
            file=f"{family.name}-{count}.txt",
        )


PROTOCOLS: Final = {protocol.name: protocol for protocol in _protocols()}
_NAMES: Final = {protocol.fingerprint: name for name, protocol in PROTOCOLS.items()}


def get_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        ValueError: There is none, for instance because ``name`` is a bare size.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if re.fullmatch(r"\d+(/\d+)?", name):
        fitting = [p.name for p in PROTOCOLS.values() if name == str(p.images) or p.name.endswith(f"-{name}")]
        reason = "a bare size does not say which images are labelled"
    else:
        fitting = get_close_matches(name, PROTOCOLS, n=3)
        reason = "no published protocol has that name"
    choice = ", ".join(fitting or PROTOCOLS)
    raise ValueError(f"{name!r} names no protocol: {reason}; choose one of {choice}")


# -- fingerprints -----------------------------------------------------------------------------------------------------


def fingerprint(ids: Iterable[str]) -> str:
    """SHA-256 (hexadecimal) of the set of image ids: sorted by code point, one per line, each ending in a newline.

    An id is the path below the image folder without suffix, which in all published protocols is the file's stem:
    Cityscapes' folders are left out, as the file names repeat them. Other folders are kept, so that frame 1 of two
    videos stays two images.

    >>> fingerprint(["aachen/aachen_000000_000019"]) == fingerprint(["aachen_000000_000019"])
    True
    """
    lines = "".join(f"{image_id}\n" for image_id in sorted(set(map(stem, ids))))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def identify(ids: Iterable[str]) -> str:
    """The name of the protocol with exactly these labelled images, or ``"custom"``. The size alone says nothing."""
    return _NAMES.get(fingerprint(ids), CUSTOM)


def stem(image_id: str) -> str:
    """An id as it enters the fingerprint."""
    found = _CITYSCAPES.fullmatch(image_id)
    if found is None or PurePosixPath(image_id).parent.name not in ("", found["city"]):
        return image_id
    return found[1]


# -- lists ------------------------------------------------------------------------------------------------------------


def read_ids(path: str | PathLike[str], data_set: DataSet | None = None) -> list[str]:
    """The ids that a published list or one of our own names, in its order.

    A line is ``JPEGImages/x.jpg SegmentationClass/x.png`` (UniMatch), ``leftImg8bit/train/city/x_leftImg8bit.png`` or
    ``x`` (U2PL, ReCo, CSS, MMSeg); whatever stands before these folders is left out. An id is what MMSeg's data sets
    and ``UnlabeledDataset`` expect in a list: the path below the folder of the images, without suffix.

    Args:
        path: The list, UTF-8.
        data_set: What every line has to be an image of, if that is known. Cityscapes' ids get the folder of their city,
            as MMSeg needs them.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: It is empty, a line is no image or named before, or it leads out of the folder of the images.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no list of images {str(path)!r}; correct the path")
    lines_of: dict[str, int] = {}
    ids = []
    for number, raw in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8-sig").strip()
            if not line:
                continue
            image_id = _parse(line, data_set)
            first = lines_of.setdefault(stem(image_id), number)
            if first != number:
                raise ValueError(f"{image_id!r} is listed already, in line {first}; remove one of them")
        except UnicodeDecodeError:
            raise ValueError(f"{str(path)!r}, line {number} is not UTF-8 text; is this a list of images?") from None
        except ValueError as error:
            raise ValueError(f"{str(path)!r}, line {number}: {error}") from None
        ids.append(image_id)
    if not ids:
        raise ValueError(f"the list of images {str(path)!r} is empty; write one id per line into it")
    return ids


def check_inside(line: str) -> None:
    r"""Check that a line of a list stays within the folder of the images.

    Raises:
        ValueError: It is an absolute path, or holds ``..`` or a backslash.
    """
    for wrong, reason in (
        (line.startswith("/") or re.match(r"[A-Za-z]:", line), "is an absolute path"),
        ("\\" in line, "holds a backslash"),
        (".." in re.split(r"[/\s]", line), "leads out of the folder of the images ('..')"),
    ):
        if wrong:
            raise ValueError(
                f"{line!r} {reason}; write the path below the folder of the images, with / between folders"
            )


def _parse(line: str, data_set: DataSet | None) -> str:
    image, *masks = line.split()
    if masks and image.lower().endswith(IMAGE_SUFFIXES):
        image_id = _strip(image)
        if len(masks) != 1 or not _is_mask_of(masks[0], image_id):
            raise ValueError(f"{line!r} is neither an image nor an image and its mask; write one id per line")
    else:
        image, image_id = line, _strip(line)  # names may hold spaces
    # Where the folder of the images is known, what comes before it says nothing: CPS's lines begin with a slash.
    for path in [image_id] if _IMAGE_FOLDER.match(image) else [image, *masks]:
        check_inside(path)
    if not image.isprintable() or image_id in ("", "."):
        raise ValueError(f"{line!r} is no image; write one id per line")
    if data_set is None:
        return image_id
    pattern, example = _PATTERNS[data_set]
    found = pattern.fullmatch(image_id)
    if found is None:
        raise ValueError(f"{line!r} is no image of {data_set}; its ids look like {example!r}")
    return f"{found['city']}/{found[1]}" if data_set == "cityscapes" else image_id


def _strip(image: str) -> str:
    suffix = next((suffix for suffix in IMAGE_SUFFIXES if image.lower().endswith(suffix)), "")
    image_id = PurePosixPath(image[: len(image) - len(suffix)]).as_posix()
    return _IMAGE_FOLDER.sub("", image_id, count=1).removesuffix("_leftImg8bit")


def id_of(path: str, folder: str, suffix: str) -> str:
    """The id of the image at ``path`` in a data set that reads ``folder``."""
    return PurePosixPath(path.removeprefix(folder).removesuffix(suffix).lstrip("/")).as_posix()


def _is_mask_of(mask: str, image_id: str) -> bool:
    return f"{PurePosixPath(mask).stem}_".startswith(f"{PurePosixPath(image_id).name}_")


def missing_list_remedy(path: str) -> str | None:
    """How to make a list that a config looks for under ``data/splits``; ``None`` for lists elsewhere."""
    if PurePath(path).parent.parts[-2:] != PurePath(FOLDER).parts:
        return None
    name = PurePath(path).name
    protocol = next((protocol for protocol in PROTOCOLS.values() if protocol.file == name), None)
    if count := re.search(r"-own-(\d+)\.txt$", name):
        return f"it is generated, not published: `{TOOL} generate --config CONFIG --count {count[1]} --out {path}`"
    if protocol is None:
        published, size, own = f"import NAME SOURCE --out {path}", "N", path
        where = "NAME a published protocol of docs/splits.md, SOURCE your copy of its authors' lists"
    else:
        published, size = f"import {protocol.name} SOURCE", str(protocol.images)
        own = f"{FOLDER}/{protocol.data_set}-own-{size}.txt"
        where = f"SOURCE your copy of {REPOSITORIES[protocol.source]} (there it is {protocol.path})"
    return (
        f"import the published list: `{TOOL} {published}`, with {where}; or generate a list of your own, whose results "
        f"compare with no published ones: `{TOOL} generate --config CONFIG --count {size} --out {own}`, and name that "
        "file in the config"
    )
