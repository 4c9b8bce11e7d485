"""Time and memory of PC2Seg's contrast, against the m x m matrix that its equations describe.

    python benchmarks/negative_sampling.py
    python benchmarks/negative_sampling.py --json FILE

Both draw the negatives and compute the loss with its gradient, for batches of 8 images and growing numbers of pixels m.
The matrix form uses every pixel as an anchor, as the equation's mean over i says, and so do we under "all anchors";
"ours" draws a fixed number of anchors per image, as training does. Medians of repeated runs; memory is the peak above
what was there before, each case in a process of its own.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch
from measure import device, machine, measure_alone, write_json
from rich.console import Console
from rich.table import Table

from mmseg_css.functional.negative_sampling import SAMPLERS, draw_anchors, draw_negatives
from mmseg_css.functional.pixel_contrast import pixel_contrast
from tests.reference.pc2seg import matrix_loss

BATCH, CLASSES, CHANNELS = 8, 21, 128
SAMPLER = "different_image_debiased"
TEMPERATURE = 0.1
#: Pixels up to which the matrix form is run: at 32 768 the matrix alone takes 4 GiB, several times over.
LARGEST_MATRIX = 32_768
#: What the figures are called, and the forms that they measure.
FORMS = {"naive": "naive", "ours": "drawn", "all_anchors": "all"}


def case(
    form: str, pixels: int, anchors_per_image: int, num_negatives: int, batch: int = BATCH, classes: int = CLASSES
) -> Callable[[], None]:
    """One loss with its gradient, ready to be called."""
    torch.manual_seed(0)
    side = math.isqrt(pixels // batch)
    width = pixels // batch // side
    weak, strong = (torch.randn(batch, CHANNELS, side, width, device=device(), requires_grad=True) for _ in range(2))
    probabilities = (3 * torch.randn(batch, classes, side, width, device=device())).softmax(dim=1)
    valid = torch.ones(batch, side, width, dtype=torch.bool, device=device())

    def matrix() -> None:
        matrix_loss(SAMPLER, weak, strong, probabilities, num_negatives, TEMPERATURE).backward()

    def linear() -> None:
        everything = torch.arange(pixels, device=device())
        anchors = everything if form == "all" else draw_anchors(valid, batch * anchors_per_image)
        draw = draw_negatives(SAMPLERS[SAMPLER](probabilities), anchors, valid, num_negatives)
        pixel_contrast(weak, strong, weak, anchors, draw, TEMPERATURE).backward()

    return matrix if form == "naive" else linear


def grow(anchors: int, negatives: int, repeats: int) -> dict[str, list[dict]]:
    """Ours as in training: with the classes at 32 768 pixels, and with images of 4096 pixels."""
    series = {
        "classes": [(32_768, BATCH, classes) for classes in (2, 21, 81, 171)],
        "batch": [(4096 * batch, batch, CLASSES) for batch in (2, 4, 8, 16)],
    }
    rows: dict[str, list[dict]] = {name: [] for name in series}
    for name, sizes in series.items():
        for pixels, batch, classes in sizes:
            found = measure_alone(case, "drawn", pixels, anchors, negatives, batch, classes, repeats=repeats)
            seconds, mib = found or (None, None)
            rows[name].append({"batch": batch, "classes": classes, "seconds": seconds, "mib": mib})
    return rows


def slope_of(rows: list[dict], key: str) -> float:
    """Least-squares slope of log seconds over log pixels."""
    x = torch.tensor([math.log(row["pixels"]) for row in rows], dtype=torch.float64)
    y = torch.tensor([math.log(row[key]) for row in rows], dtype=torch.float64)
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x * x).sum())


def compare(pixels: int, anchors: int, negatives: int, repeats: int) -> dict:
    """Seconds and MiB of every form at one number of pixels; None where it was not tried or did not fit."""
    row: dict = {"pixels": pixels}
    for key, form in FORMS.items():
        skipped = form == "naive" and pixels > LARGEST_MATRIX
        found = None if skipped else measure_alone(case, form, pixels, anchors, negatives, repeats=repeats)
        row[f"{key}_s"], row[f"{key}_mib"] = found or (None, None)
    return row


def show_comparison(rows: list[dict]) -> None:
    table = Table("pixels", "matrix s", "ours s", "all anchors s", "matrix MiB", "ours MiB", "all anchors MiB")
    for row in rows:
        seconds = [f"{row[f'{key}_s']:.3f}" if row[f"{key}_s"] else "-" for key in FORMS]
        memory = [f"{row[f'{key}_mib']:.0f}" if row[f"{key}_s"] else "-" for key in FORMS]
        table.add_row(str(row["pixels"]), *seconds, *memory)
    Console().print(table)


def show_growth(growth: dict[str, list[dict]]) -> None:
    for name, found in growth.items():
        table = Table(name, "s", "MiB", title=f"growth with {name}")
        for row in found:
            table.add_row(str(row[name]), f"{row['seconds']:.3f}", f"{row['mib']:.0f}")
        Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels", type=int, nargs="+", default=[2048, 8192, 32_768, 131_072])
    parser.add_argument("--anchors", type=int, default=256, help="anchors per image in training")
    parser.add_argument("--negatives", type=int, default=128, help="negatives of each anchor")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()

    rows = [compare(pixels, args.anchors, args.negatives, args.repeats) for pixels in args.pixels]
    show_comparison(rows)
    growth = grow(args.anchors, args.negatives, args.repeats)
    show_growth(growth)
    result = {
        "rows": rows,
        "growth": growth,
        "slope": slope_of(rows, "ours_s"),
        "slope_all_anchors": slope_of(rows, "all_anchors_s"),
        "settings": {"batch": BATCH, "classes": CLASSES, "channels": CHANNELS, "sampler": SAMPLER},
        "anchors_per_image": args.anchors,
        "negatives": args.negatives,
        "machine": machine(),
    }
    print(f"slope of log seconds over log pixels: {result['slope']:.2f}; all anchors {result['slope_all_anchors']:.2f}")
    if args.json:
        write_json(args.json, result)


if __name__ == "__main__":
    main()
