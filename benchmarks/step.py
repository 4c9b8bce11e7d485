"""What a training step costs beside its network's passes.

    python benchmarks/step.py                 # CSS and PC2Seg, R-101 DeepLabV3+, 4 + 4 crops of 129 x 129
    python benchmarks/step.py --size 512 --batch 8 --amp bf16 --json FILE

A step is what training does: losses, backward pass, optimiser, teacher and prototypes. The network's passes are the
same forward and backward passes of the same networks on as many images of that size, with the mean of the outputs
as the loss. Both are repeated in turn, so that a slow moment of the machine meets both; medians.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from measure import device, machine, timed
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from rich.console import Console
from rich.table import Table

import mmseg_css  # noqa: F401  (registers the models)
from mmseg_css.models.segmentors.base import Progress, SemiSegmentor, segment
from mmseg_css.registry import MODELS

CONFIGS = {"css": "configs/css/css_r101_voc_1-8.py", "pc2seg": "configs/pc2seg/pc2seg_r101_voc_1-8.py"}


def build(config: str, size: int) -> SemiSegmentor:
    """The config's model on this machine, with crops of this size and nothing pretrained."""
    cfg = Config.fromfile(config).model
    cfg.segmentor.backbone.init_cfg = None
    cfg.data_preprocessor.size = (size, size)
    if "crop" in cfg.augmentation:
        cfg.augmentation.crop = (size, size)
    if device().type == "cpu":  # a single process without an accelerator trains with BN
        cfg.segmentor.backbone.norm_cfg.type = cfg.segmentor.decode_head.norm_cfg.type = "BN"
    return MODELS.build(cfg).to(device()).train()


def batch_of(model: SemiSegmentor, batch: int, size: int) -> tuple[dict, dict]:
    """Random images and masks in large blocks, so that crops hold several classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, batch, 3, size, size, generator=generator).to(device())
    blocks = torch.randint(model.num_classes, (batch, 1, 4, 4), generator=generator)
    masks = torch.nn.functional.interpolate(blocks.float(), (size, size), mode="nearest").long().to(device())
    labeled = []
    for mask in masks:
        sample = SegDataSample(metainfo={"img_shape": (size, size), "padding_size": (0, 0, 0, 0)})
        sample.gt_sem_seg = PixelData(data=mask)
        labeled.append(sample)
    unlabeled = [SegDataSample(metainfo={"padding_size": (0, 0, 0, 0)}) for _ in range(batch)]
    return {"labeled": images[0], "unlabeled": images[1]}, {"labeled": labeled, "unlabeled": unlabeled}


def training_step(
    model: SemiSegmentor, batch: tuple[dict, dict], autocast: Callable[[], AbstractContextManager]
) -> Callable[[], None]:
    optimizer = torch.optim.SGD(model.student.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)
    iteration = 0

    def step() -> None:
        nonlocal iteration
        model.progress = Progress(iteration, 1000, 0)
        iteration += 1
        with autocast():
            losses = model.loss(*batch)
        torch.stack([value.mean() for name, value in losses.items() if "loss" in name]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        if hasattr(model, "teacher"):
            model.teacher.update(model.student)
            model.bank.commit()

    return step


def network_passes(
    model: SemiSegmentor, batch: tuple[dict, dict], autocast: Callable[[], AbstractContextManager]
) -> Callable[[], None]:
    """The passes of `training_step`: both halves through the student, and what the method has beside it."""
    inputs, _ = batch

    def run(images: torch.Tensor) -> None:
        with autocast():
            output = segment(model.student, images)
        (output.logits.mean() + output.embeddings.mean()).backward()

    def passes() -> None:
        run(inputs["labeled"])
        if hasattr(model, "teacher"):
            run(inputs["unlabeled"])
            with torch.no_grad(), autocast():
                for half in ("labeled", "unlabeled")[0 if model.teacher_sees == "both" else 1 :]:
                    segment(model.teacher.model, inputs[half])
        else:
            run(torch.cat([inputs["unlabeled"]] * 2))
        model.student.zero_grad()

    return passes


def overhead(config: str, args: argparse.Namespace) -> dict[str, float]:
    """Median seconds of a step and of its network's passes, and the share of the step that is not the network's."""
    model = build(config, args.size)
    batch = batch_of(model, args.batch, args.size)

    def autocast() -> AbstractContextManager:
        if args.amp is None:
            return nullcontext()
        return torch.autocast(device().type, dtype={"bf16": torch.bfloat16, "fp16": torch.float16}[args.amp])

    step, passes = training_step(model, batch, autocast), network_passes(model, batch, autocast)
    step(), passes()
    steps, networks = zip(*((timed(step), timed(passes)) for _ in range(args.repeats)), strict=True)
    whole, network = statistics.median(steps), statistics.median(networks)
    return {"step_s": whole, "network_s": network, "overhead": 1 - network / whole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=129, help="height and width of the crops")
    parser.add_argument("--batch", type=int, default=4, help="labelled images; as many unlabelled ones")
    parser.add_argument("--amp", choices=["bf16", "fp16"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    init_default_scope("mmseg")
    result = {name: overhead(config, args) for name, config in CONFIGS.items()}
    title = f"R-101 DeepLabV3+, {args.batch} + {args.batch} crops of {args.size} x {args.size}"
    table = Table("method", "step s", "network s", "beside the network", title=title)
    for name, row in result.items():
        table.add_row(name, f"{row['step_s']:.2f}", f"{row['network_s']:.2f}", f"{row['overhead']:.1%}")
    Console().print(table)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({"step": result, "machine": machine()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
