"""Time and memory of CSS's contrastive term, forward and backward, against the cost of the published code.

    python benchmarks/contrast.py
    python benchmarks/contrast.py --json FILE

At the paper's sizes: 8 maps of 128 x 128, 21 classes, 256 channels, 256 queries a class, 512 negatives a query. Then
how much the draws scatter the loss and its gradient, and how our two forms grow with the size of the maps, the number
of classes and the batch. `looped` is `tests/reference/looped_contrast.py`: the loops and the memory that the published
code is described to have.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from measure import device, machine, measure_alone, write_json
from rich.console import Console
from rich.table import Table

from mmseg_css.functional.contrastive import draw_contrast, prototype_contrast_loss
from tests.reference.looped_contrast import looped_contrast

FORMS = ("looped", "per_query", "per_class")


class Sizes(NamedTuple):
    """Of one call."""

    batch: int = 8
    side: int = 128
    classes: int = 21
    channels: int = 256
    queries: int = 256
    negatives: int = 512


def case(form: str, sizes: Sizes) -> Callable[[], None]:
    """Draw, loss and gradient. All classes are present and every pixel is hard, which costs most."""
    torch.manual_seed(0)
    batch, side, classes, channels, queries, negatives = sizes
    labels = torch.randint(classes, (batch, side, side), device=device())
    hard = torch.ones_like(labels, dtype=torch.bool)
    embeddings = torch.randn(batch, channels, side, side, device=device(), requires_grad=True)
    prototypes = torch.randn(classes, channels, device=device())

    def looped() -> None:
        embeddings.grad = None
        looped_contrast(embeddings, labels, hard, prototypes, queries, negatives).backward()

    def ours() -> None:
        embeddings.grad = None
        draw = draw_contrast(labels, hard, prototypes, queries, negatives, sharing=form)
        prototype_contrast_loss(embeddings, draw, prototypes).backward()

    return looped if form == "looped" else ours


GROWTH = {
    "maps": [Sizes(side=side) for side in (32, 64, 128, 256)],
    "classes": [Sizes(classes=classes) for classes in (2, 21, 81, 171)],
    "batch": [Sizes(batch=batch) for batch in (2, 4, 8, 16)],
}


def compare(repeats: int) -> dict:
    """The paper's sizes: seconds, MiB, and the ratios to the looped form."""
    sizes = Sizes()
    measured = {form: measure_alone(case, form, sizes, repeats=repeats) for form in FORMS}
    looped = measured["looped"]
    assert looped is not None
    result: dict = {}
    for form, found in measured.items():
        assert found is not None
        result[form] = {"seconds": found[0], "mib": found[1]}
        if form != "looped":
            result[form] |= {"speedup": looped[0] / found[0], "memory_ratio": found[1] / looped[1]}
    return result


def scatter(draws: int = 100) -> dict:
    """Standard deviation of loss and gradient over draws on the same pixels, relative to their mean.

    The gradient is that of a linear layer that makes the embeddings, whose classes are as far apart as their noise is
    wide.
    """
    generator = torch.Generator().manual_seed(0)
    batch, side, classes, channels, queries, negatives = Sizes(side=32, channels=64)
    labels = torch.randint(classes, (batch, side, side), generator=generator)
    prototypes = torch.randn(classes, channels, generator=generator)
    noise = torch.randn(batch, side, side, channels, generator=generator)
    features = (prototypes[labels] + noise).permute(0, 3, 1, 2)
    layer = torch.eye(channels, requires_grad=True)
    hard = torch.ones_like(labels, dtype=torch.bool)
    result: dict = {}
    for form in FORMS[1:]:
        values = []
        for _ in range(draws):
            draw = draw_contrast(labels, hard, prototypes, queries, negatives, sharing=form, generator=generator)
            embeddings = torch.einsum("dc,bchw->bdhw", layer, features)
            loss = prototype_contrast_loss(embeddings, draw, prototypes)
            (gradient,) = torch.autograd.grad(loss, layer)
            values.append(torch.cat([loss.detach()[None], gradient.flatten()]))
        mean, variance = torch.stack(values).mean(dim=0), torch.stack(values).var(dim=0)
        result[form] = {
            "loss": float(variance[0].sqrt() / mean[0]),
            "gradient": float(variance[1:].sum().sqrt() / mean[1:].norm()),
            "draws": draws,
        }
    return result


def grow(repeats: int) -> dict:
    """Seconds of our two forms as one size changes."""
    rows: dict = {}
    for name, series in GROWTH.items():
        rows[name] = []
        for sizes in series:
            found = {form: measure_alone(case, form, sizes, repeats=repeats) for form in FORMS[1:]}
            rows[name].append(
                {
                    **sizes._asdict(),
                    **{form: value and {"seconds": value[0], "mib": value[1]} for form, value in found.items()},
                }
            )
    return rows


def print_tables(result: dict, scattered: dict, growth: dict) -> None:
    table = Table("form", "seconds", "MiB", "times faster", "of the memory", title="contrast, forward and backward")
    for form, row in result.items():
        ratios = [f"{row['speedup']:.0f}", f"{row['memory_ratio']:.3f}"] if "speedup" in row else ["", ""]
        table.add_row(form, f"{row['seconds']:.3f}", f"{row['mib']:.0f}", *ratios)
    Console().print(table)
    table = Table("form", "of the loss", "of the gradient", title="standard deviation over draws, relative to the mean")
    for form, row in scattered.items():
        table.add_row(form, f"{row['loss']:.2%}", f"{row['gradient']:.2%}")
    Console().print(table)
    for name, rows in growth.items():
        key = {"maps": "side"}.get(name, name)
        table = Table(key, "per_query s", "per_class s", "per_query MiB", "per_class MiB", title=f"growth with {name}")
        for row in rows:
            values = [row["per_query"], row["per_class"]]
            table.add_row(
                str(row[key]),
                *(f"{value['seconds']:.3f}" if value else "-" for value in values),
                *(f"{value['mib']:.0f}" if value else "-" for value in values),
            )
        Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    result = compare(args.repeats)
    scattered = scatter()
    growth = grow(args.repeats)
    print_tables(result, scattered, growth)
    if args.json:
        report = {"contrast": result, "scatter": scattered, "growth": growth, "machine": machine()}
        write_json(args.json, report)


if __name__ == "__main__":
    main()
