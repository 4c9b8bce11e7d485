"""Make lists of labelled images: copy a published one, or choose images by a rule and a seed."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from mmseg_css.datasets.protocols import CUSTOM, FOLDER, PROTOCOLS, Protocol, get_protocol, identify
from mmseg_css.datasets.splits import check_inside, fingerprint, read_ids

Rule = Literal["stratified", "reco"]
#: Lists of the given lengths, shortest first.
Choosing = Callable[[Sequence[int]], list[list[str]]]


# -- published lists --------------------------------------------------------------------------------------------------


def import_list(name: str, source: Path, out: Path | None = None) -> Path:
    """Write the published list of the protocol ``name`` as plain sorted ids, and return where.

    Args:
        name: The protocol.
        source: The list as its authors publish it, or a folder that holds it somewhere.
        out: The file to write; by default the one in ``data/splits`` that the configs name.

    Raises:
        FileNotFoundError: ``source`` is missing.
        ValueError: The list, or every list in the folder, is another one.
        FileExistsError: ``out`` holds another list.
    """
    protocol = get_protocol(name)
    if not source.exists():
        raise FileNotFoundError(f"there is no list or folder {str(source)!r}; correct the path")
    path = _find_below(source, protocol) if source.is_dir() else source
    ids = read_ids(path)
    if identify(ids) != name:
        raise ValueError(f"{str(path)!r} is not {_summary(protocol)}; it is {what_is(ids)}. Nothing was written")
    out = out or Path(FOLDER) / protocol.file
    write_list(out, read_ids(path, protocol.data_set))
    return out


def _find_below(folder: Path, protocol: Protocol) -> Path:
    others = []
    for path in sorted(folder.rglob("*.txt")):
        try:
            name = identify(read_ids(path))
        except (OSError, ValueError):  # a text that is no list, a folder, a broken link
            continue
        if name == protocol.name:
            return path
        others.append(name)
    known = [name for name in PROTOCOLS if name in others]
    raise ValueError(
        f"no list in {str(folder)!r} is {_summary(protocol)}; there are {len(others)} others, published ones among "
        f"them: {', '.join(known) or 'none'}. {protocol.source} publishes it as {protocol.path}"
    )


def _summary(protocol: Protocol) -> str:
    return f"{protocol.name} ({protocol.images} images, fingerprint {protocol.fingerprint[:12]})"


def what_is(ids: Collection[str]) -> str:
    """Name, size and fingerprint of a list, in words."""
    name = identify(ids)
    return f"{'a custom list' if name == CUSTOM else name} ({len(ids)} images, fingerprint {fingerprint(ids)[:12]})"


def write_list(path: Path, ids: Collection[str]) -> None:
    """Write ids, sorted by code point, one per line. Nothing happens if the file holds just that.

    Raises:
        ValueError: An id cannot stand in a list.
        FileExistsError: The file holds something else.
    """
    for image_id in ids:
        check_inside(image_id)
        if not image_id.isprintable() or image_id != image_id.strip():
            raise ValueError(f"the image name {image_id!r} cannot stand on a line of a list; rename the image")
    content = "".join(f"{image_id}\n" for image_id in sorted(ids)).encode()
    if path.exists() and path.read_bytes() != content:
        raise FileExistsError(f"{str(path)!r} holds another list; remove it, or choose another file with --out")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# -- our own lists ----------------------------------------------------------------------------------------------------


def generate(total: int, sizes: Sequence[str], out: Path, choosing: Choosing) -> dict[Path, list[str]]:
    """Choose images and write their list, or a nested series of lists, and return what was written where.

    Args:
        total: Images of the pool.
        sizes: Sizes of the lists, see :func:`list_length`.
        out: The file; of several lists each has its number of images appended to the name.
        choosing: Which images make a list of each length, e.g. :func:`choose` of a pool.

    Raises:
        ValueError: A size does not fit the pool, or ``out`` is the name of a published list.
        FileExistsError: A file holds another list.
    """
    lengths = sorted({list_length(size, total) for size in sizes})
    several = len(sizes) > 1
    paths = [out.with_name(f"{out.stem}-{length}{out.suffix}") if several else out for length in lengths]
    published = {protocol.file: protocol.name for protocol in PROTOCOLS.values()}
    for path in paths:
        if path.name in published:
            raise ValueError(
                f"{path.name!r} is the file of the published protocol {published[path.name]}; give a list of your own "
                "another name"
            )
    lists = dict(zip(paths, choosing(lengths), strict=True))
    for path, ids in lists.items():
        write_list(path, ids)
    return lists


def list_length(size: str, total: int) -> int:
    """A number of images, or a fraction of ``total``, rounded up as in the published lists.

    >>> list_length("1/16", 10582)
    662

    Raises:
        ValueError: ``size`` is neither, or not between 1 and ``total``.
    """
    try:
        length = math.ceil(Fraction(size) * total) if "/" in size else int(size)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{size!r} is no size of a list; write a number (46) or a fraction (1/8)") from None
    if not 1 <= length <= total:
        raise ValueError(f"a list of {size} images cannot be chosen from {total}; take at least 1 and at most {total}")
    return length


def choose(
    shown: Mapping[str, Collection[int]], lengths: Sequence[int], *, seed: int, rule: Rule = "stratified"
) -> list[list[str]]:
    """Choose images without replacement, a sorted list for each length, shortest first, each contained in the next.

    The images, sorted by name, are put in a random order. Then

    - ``"stratified"``: while a class of the pool has no labelled image, the rarest such class gets the first image that
      shows it; the rest is filled up in the random order. So a list that is at least as long as there are classes has
      them all. In a shorter one, as soon as fewer images are left to choose than classes are missing, the image is
      taken that shows most of the missing ones.
    - ``"reco"``, after the idea of the class-balanced lists of ReCo (Liu et al., ICLR 2022), not its lists: each image
      is added for the class that has the fewest labelled images so far, and is the first not yet chosen that shows it.
      Where classes tie, the rarest in the pool comes first; a class whose images are all chosen is passed over, and
      images without any class come last. Rare classes are over-represented on purpose.

    The result depends on names, classes, lengths and seed, and on nothing else.

    Args:
        shown: The classes that each image shows.
        lengths: Numbers of images.
        seed: Of the random order.
        rule: How to choose.
    """
    classes = {name: frozenset(shown[name]) for name in sorted(shown)}
    order = _shuffled(classes, seed)
    by_class = _images_by_class(classes, order)
    chosen: dict[str, None] = {}
    rest = (name for name in order if name not in chosen)
    lists = []
    for length in sorted(lengths):
        if rule == "reco":
            additions = _serve_the_least_frequent(classes, by_class, chosen)
        else:
            additions = _cover_all_classes(classes, by_class, chosen, length)
        while len(chosen) < length:
            chosen[next(additions, None) or next(rest)] = None
        lists.append(sorted(chosen))
    return lists


def _shuffled(names: Collection[str], seed: int) -> list[str]:
    # The stream of raw doubles of PCG64 is fixed, which numpy does not promise for `permutation`.
    keys = np.random.Generator(np.random.PCG64(seed)).random(len(names))
    return [name for _, name in sorted(zip(keys.tolist(), names, strict=True))]


def _images_by_class(classes: Mapping[str, frozenset[int]], order: Sequence[str]) -> dict[int, list[str]]:
    """The images that show each class, in this order; the class that the fewest show comes first."""
    by_class: dict[int, list[str]] = {}
    for name in order:
        for label in classes[name]:
            by_class.setdefault(label, []).append(name)
    return dict(sorted(by_class.items(), key=lambda item: (len(item[1]), item[0])))


def _cover_all_classes(
    classes: Mapping[str, frozenset[int]],
    by_class: Mapping[int, Sequence[str]],
    chosen: Collection[str],
    length: int,
) -> Iterator[str]:
    while missing := set(by_class).difference(*(classes[name] for name in chosen)):
        images = by_class[next(label for label in by_class if label in missing)]
        if length - len(chosen) >= len(missing):
            yield images[0]
        else:
            yield max(images, key=lambda name: len(classes[name] & missing))  # noqa: B023  (called at once)


def _serve_the_least_frequent(
    classes: Mapping[str, frozenset[int]], by_class: Mapping[int, Sequence[str]], chosen: Collection[str]
) -> Iterator[str]:
    served = {label: sum(label in classes[name] for name in chosen) for label in by_class}
    waiting = {label: iter(images) for label, images in by_class.items()}
    while waiting:
        label = min(waiting, key=lambda label: served[label])  # the first of the least: the rarest in the pool
        name = next((name for name in waiting[label] if name not in chosen), None)
        if name is None:
            del waiting[label]
            continue
        yield name
        for other in classes[name]:
            served[other] += 1
