"""Dilated depthwise convolutions on a CPU: torch's own against `functional.depthwise`, forward and backward.

    python benchmarks/depthwise.py
    python benchmarks/depthwise.py --json FILE

The maps are those of the last stage of EfficientNet-Lite0 at a stride of 16, 8 images of 1152 channels. Both
forms are run in turn, so that a slow moment of the machine meets both; medians.
"""

import argparse
import statistics
from pathlib import Path

import torch
from measure import machine, timed, write_json
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from mmseg_css.functional.depthwise import dilated_depthwise

BATCH, CHANNELS, DILATION = 8, 1152, 2
#: Height, width and taps along one side of the kernel.
CASES = ((6, 6, 3), (6, 6, 5), (9, 12, 3), (9, 12, 5))


def compare(height: int, width: int, taps: int, repeats: int) -> dict[str, float]:
    """Median seconds of both forms."""
    torch.manual_seed(0)
    maps = torch.randn(BATCH, CHANNELS, height, width).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(CHANNELS, 1, taps, taps, requires_grad=True)
    padding = DILATION * (taps // 2)
    forms = {
        "torch_s": lambda: F.conv2d(maps, weight, padding=padding, dilation=DILATION, groups=CHANNELS),
        "ours_s": lambda: dilated_depthwise(maps, weight, DILATION),
    }
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(repeats + 1):
        for name, form in forms.items():
            seconds[name].append(timed(lambda form=form: form().sum().backward()))
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    rows = []
    table = Table("maps", "kernel", "torch ms", "ours ms", "times faster")
    for height, width, taps in CASES:
        row = compare(height, width, taps, args.repeats)
        rows.append({"height": height, "width": width, "taps": taps, **row})
        milliseconds = (f"{1000 * value:.1f}" for value in row.values())
        table.add_row(f"{height} x {width}", f"{taps} x {taps}", *milliseconds, f"{row['torch_s'] / row['ours_s']:.1f}")
    Console().print(table)
    if args.json:
        write_json(args.json, {"rows": rows, "machine": machine()})


if __name__ == "__main__":
    main()
