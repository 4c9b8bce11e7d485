"""Results of a comparison, as a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def print_table(results: Mapping[str, dict[str, Any]]) -> None:
    """mIoU (mean over seeds, and each seed), gain over the baseline and its p-values, IoU per class, minutes."""
    table = Table("", *results, title="IoU of the last checkpoint, percent")
    table.add_row("mIoU", *(f"{result['mIoU']:.1f}" for result in results.values()))
    table.add_row("  by seed", *(_join(result["mIoU_per_seed"].values()) for result in results.values()))
    table.add_row("gain", *(f"{result['gain']:+.1f}" if "gain" in result else "" for result in results.values()))
    table.add_row("  95 % interval", *(_interval(result.get("interval")) for result in results.values()))
    for key, label in (("p_seeds", "p over seeds (t-test)"), ("p_images", "p over images (swaps)")):
        table.add_row(label, *(f"{result[key]:.4f}" if key in result else "" for result in results.values()))
    for name in next(iter(results.values()))["IoU"]:
        table.add_row(f"  {name}", *(f"{result['IoU'][name]:.1f}" for result in results.values()))
    table.add_row("minutes a run", *(f"{result['minutes']:.1f}" for result in results.values()))
    Console().print(table)


def _interval(bounds: Sequence[float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:+.1f} to {bounds[1]:+.1f}"


def _join(values: Iterable[float]) -> str:
    return " / ".join(f"{value:.1f}" for value in values)
