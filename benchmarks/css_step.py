"""Where the time of a CSS training step goes: the network's passes, and everything around them.

    python benchmarks/css_step.py                # sizes for a laptop
    python benchmarks/css_step.py --size 512 --classes 21 --queries 256 --negatives 512 --json FILE

Medians over repeated runs on this machine's CPU, or on its GPU where there is one.
"""

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.benchmark import Timer

import mmseg_css  # noqa: F401  (registers the model)
from mmseg_css.functional.contrastive import draw_contrast, prototype_contrast_loss
from mmseg_css.functional.ema import ema_update_
from mmseg_css.functional.prototypes import class_sums
from mmseg_css.functional.pseudo_label import logit_pseudo_label, prototype_pseudo_label
from mmseg_css.models.segmentors.base import segment
from mmseg_css.registry import MODELS
from mmseg_css.types import View


def parts(model: torch.nn.Module, batch: int, size: int) -> dict[str, Callable[[], object]]:
    """The parts of one step, each on inputs of the shapes that it has there."""
    device = next(model.parameters()).device
    image = torch.randn(batch, 3, size, size, device=device)
    with torch.no_grad():
        output = segment(model.teacher.model, image)
    classes, height = output.logits.shape[1], output.logits.shape[2]
    labels = torch.randint(classes, (batch, 1, size, size), device=device)
    view = View(image, labels, torch.rand_like(labels, dtype=torch.float32), torch.ones_like(labels[:, 0]).bool())
    small = torch.randint(classes, (2 * batch, height, height), device=device)
    embeddings = torch.cat([output.embeddings] * 2).requires_grad_()
    prototypes, seen = torch.randn_like(model.bank.prototypes), torch.ones_like(model.bank.seen)
    normalisation = dict(mean=torch.zeros(3, 1, 1, device=device), std=torch.ones(3, 1, 1, device=device))
    targets, sources = list(model.teacher.model.parameters()), list(model.student.parameters())

    def train() -> None:
        student = segment(model.student, image)
        (student.logits.mean() + student.embeddings.mean()).backward()

    def contrast() -> None:
        draw = draw_contrast(
            small, small >= 0, prototypes, model.contrast_loss.num_queries, model.contrast_loss.num_negatives
        )
        prototype_contrast_loss(embeddings, draw, prototypes).backward()

    def teach() -> Tensor:
        with torch.no_grad():
            return segment(model.teacher.model, image).logits

    return {
        "student, labelled (forward + backward)": train,
        "student, unlabelled (forward + backward)": train,
        "teacher, labelled": teach,
        "teacher, unlabelled": teach,
        "pseudo-labels": lambda: (
            logit_pseudo_label(output.logits, (size, size)),
            prototype_pseudo_label(output.embeddings, prototypes, seen, (size, size)),
        ),
        "strong augmentation": lambda: model.augmentation(
            view, **normalisation, num_classes=classes, ignore_index=255, generator=torch.Generator(device)
        ),
        "class sums": lambda: class_sums(embeddings.detach(), small, classes),
        "contrast (forward + backward)": contrast,
        "teacher update": lambda: ema_update_(targets, sources, 0.99),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="configs/css/css_lite0_demo.py")
    parser.add_argument("--batch", type=int, default=4, help="labelled images; as many unlabelled ones")
    parser.add_argument("--size", type=int, default=128, help="height and width of the images")
    parser.add_argument("--queries", type=int, default=64)
    parser.add_argument("--negatives", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=1.0, help="time spent on each part")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    args = parser.parse_args()
    init_default_scope("mmseg")
    model_cfg = Config.fromfile(args.config).model
    model_cfg.contrast_loss.update(num_queries=args.queries, num_negatives=args.negatives)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = MODELS.build(model_cfg).to(device).train()

    milliseconds = {
        name: 1000 * Timer("run()", globals={"run": run}).blocked_autorange(min_run_time=args.seconds).median
        for name, run in parts(model, args.batch, args.size).items()
    }
    network = sum(value for name, value in milliseconds.items() if name.startswith(("student", "teacher,")))
    overhead = sum(milliseconds.values()) / network - 1
    table = Table("part", "ms", title=f"{args.config}, {args.batch} + {args.batch} images of {args.size} x {args.size}")
    for name, value in milliseconds.items():
        table.add_row(name, f"{value:.1f}")
    table.add_row("everything beside the network's passes", f"+{100 * overhead:.0f}%")
    Console().print(table)
    if args.json:
        machine = {"machine": platform.processor() or platform.machine(), "device": device, "torch": torch.__version__}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({**machine, "ms": milliseconds, "overhead": overhead}, indent=2) + "\n")


if __name__ == "__main__":
    main()
