"""Which images are labelled: the published protocols by name.

Published lists of the same size differ, some by several points of mIoU. So a protocol is a name, a source, a number of
images and a fingerprint; a bare "1/8" or "662" is none. The lists themselves are their authors' and not contained here.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from mmseg_css.datasets.splits import DataSet, fingerprint
from mmseg_css.locations import find_lists

CUSTOM: Final = "custom"
FOLDER: Final = "data/splits"  # where the configs look for their lists
TOOL: Final = "mmseg-css split"
REPOSITORIES: Final = {
    "UniMatch": "https://github.com/LiheYoung/UniMatch",
    "U2PL": "https://github.com/Haochen-Wang409/U2PL",
}


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


def identify(ids: Iterable[str]) -> str:
    """The name of the protocol with exactly these labelled images, or ``"custom"``. The size alone says nothing."""
    return _NAMES.get(fingerprint(ids), CUSTOM)


def missing_list_remedy(path: str) -> str | None:
    """How to come by a list that our configs look for; ``None`` for others."""
    folder = Path(path).parent
    if (lists := find_lists(folder)) != folder:
        above = folder.parent.as_posix()
        return f"the package has it, and configs look for it from here: `mkdir -p {above} && cp -r {lists} {above}`"
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
