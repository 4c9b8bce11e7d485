"""What lists are, in words and tables."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int
from rich.console import Console
from rich.table import Column, Table

from mmseg_css.datasets.protocols import CUSTOM, PROTOCOLS, identify
from mmseg_css.datasets.splits import fingerprint, read_ids
from mmseg_css.preparation.splits import imbalance, statistics
from mmseg_css.preparation.splits.generate import what_is

# Names of files are no markup.
console = Console(markup=False, highlight=False)


def imported(out: Path) -> None:
    """Print what the imported list is."""
    console.print(f"{out} is {what_is(read_ids(out))}.", soft_wrap=True)


def generated(lists: Mapping[Path, Sequence[str]], shown: Mapping[str, Collection[int]]) -> None:
    """Print the lists that were generated and written, with the classes that their images show."""
    classes = {label for labels in shown.values() for label in labels}
    headers = (Column("list", overflow="fold"), "images", "classes", "fingerprint")
    table = Table(*headers, title=f"own lists, chosen from {len(shown)} images")
    for path, ids in lists.items():
        covered = {label for image_id in ids for label in shown[image_id]}
        table.add_row(str(path), str(len(ids)), f"{len(covered)} of {len(classes)}", fingerprint(read_ids(path))[:12])
    console.print(table)


def shares(
    lists: Mapping[Path, Sequence[str]],
    pixels: Mapping[str, Int[np.ndarray, " k"]],
    rho: float,
    classes: Sequence[str] | None = None,
) -> None:
    """Print which shares of the pixels were asked for, and which were reached.

    Args:
        lists: The images of each.
        pixels: Of each class in each image of the pool.
        rho: The power.
        classes: Their names; numbers if None.
    """
    in_pool = np.sum([*pixels.values()], axis=0)
    in_pool = in_pool / in_pool.sum()
    columns = {"pool": in_pool, "asked for": imbalance.target_shares(in_pool, rho)}
    for ids in lists.values():
        counts = np.sum([pixels[name] for name in ids], axis=0)
        columns[f"{len(ids)} images"] = counts / counts.sum()
    table = Table("class", *columns, title=f"shares of the pixels, share^{rho:g}")
    names = dict(enumerate(classes or ()))
    for label in np.flatnonzero(in_pool).tolist():
        table.add_row(names.get(label, str(label)), *(f"{share[label]:.2%}" for share in columns.values()))
    table.add_row("entropy, bits", *(f"{imbalance.entropy(share):.2f}" for share in columns.values()))
    console.print(table)


def verify(file: Path) -> None:
    """Print which protocol a list is, its length and its fingerprint."""
    ids = read_ids(file)
    protocol = PROTOCOLS.get(identify(ids))
    table = Table(show_header=False, title=str(file))
    table.add_row("protocol", CUSTOM if protocol is None else protocol.name)
    table.add_row("images", str(len(ids)))
    if protocol is None:
        same_size = [other.name for other in PROTOCOLS.values() if other.images == len(ids)]
        table.add_row("same size, other images", ", ".join(same_size) or "none")
    else:
        if protocol.hq is not None:
            table.add_row("with fine masks", f"{protocol.hq:.1%}")
        table.add_row("published by", f"{protocol.source}, {protocol.path}")
        table.add_row("used by", protocol.used_by)
    console.print(table)
    console.print(f"fingerprint {fingerprint(ids)}", soft_wrap=True)  # in one piece, to be copied


def describe(file: Path, masks: str, mask_suffix: str, others: Sequence[Path] = ()) -> None:
    """Print, beside what :func:`verify` does, the share of every class, and what is shared with other lists."""
    verify(file)
    ids = read_ids(file)
    protocol = PROTOCOLS.get(identify(ids))
    if protocol is not None:  # with the folders of Cityscapes' cities, where the masks lie
        ids = read_ids(file, protocol.data_set)
    shares = statistics.class_shares(ids, masks, mask_suffix)
    table = Table("class", "pixels", "images", title="classes")
    for label in shares.images.nonzero()[0]:
        share = shares.pixels[label] / shares.pixels.sum()
        table.add_row(str(label), f"{share:.2%}", f"{shares.images[label]} ({shares.images[label] / len(ids):.1%})")
    console.print(table)
    if not others:
        return
    table = Table(Column("other list", overflow="fold"), "protocol", "images", "shared with this one", title="overlap")
    for other in others:
        length, shared = statistics.overlap(file, other)
        table.add_row(str(other), identify(read_ids(other)), str(length), f"{shared} ({shared / length:.1%})")
    console.print(table)
