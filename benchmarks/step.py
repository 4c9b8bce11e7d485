"""What a training step costs beside its network's passes.

    python benchmarks/step.py                 # CSS and PC2Seg, R-101 DeepLabV3+, 4 + 4 crops of 129 x 129
    python benchmarks/step.py --size 512 --batch 8 --amp bf16 --json FILE

A step is what training does: losses, backward pass, the check that it is finite, optimiser, teacher and prototypes.
The network's passes are the same forward and backward passes of the same networks on as many images of that size, with
the mean of the outputs as the loss. Both are repeated in turn, so that a slow moment of the machine meets both;
medians. Memory is the peak above the model, each in a process of its own. The parts are timed within a step: forward
alone, except for the contrast, whose gradient is computed there too.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import torch
from measure import device, machine, measure_alone, timed
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from rich.console import Console
from rich.table import Table

import mmseg_css  # noqa: F401  (registers the models)
from mmseg_css.engine.hooks import FiniteStepHook, PrototypeCommitHook, TeacherUpdateHook
from mmseg_css.models.segmentors import Progress, SemiSegmentor
from mmseg_css.models.segmentors.batch import segment
from mmseg_css.registry import MODELS

CONFIGS = {"css": "configs/css/css_r101_voc_1-8.py", "pc2seg": "configs/pc2seg/pc2seg_r101_voc_1-8.py"}
#: What a method does beside its network: where it is, and what is called.
PARTS = (
    ("", "pseudo_labelled_view"),
    ("augmentation", "forward"),
    ("pseudo_label_loss", "forward"),
    ("consistency_loss", "forward"),
    ("contrast_loss", "forward"),
    ("bank", "observe"),
    ("bank", "lookahead"),
    ("bank", "commit"),
    ("teacher", "update"),
)


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
    """What MMEngine's loop does with a batch, and the hooks that work at every step."""
    optimizer = torch.optim.SGD(model.student.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)
    wrapper = OptimWrapper(optimizer)
    hooks: list[Hook] = [FiniteStepHook()]
    if model.teacher is not None:
        hooks += [TeacherUpdateHook(), PrototypeCommitHook()]
    runner = SimpleNamespace(
        model=model, optim_wrapper=wrapper, message_hub=MessageHub.get_instance("benchmark"), iter=0
    )
    for hook in hooks:
        hook.before_train(runner)

    def step() -> None:
        model.progress = Progress(runner.iter, 1000, 0)
        for hook in hooks:
            hook.before_train_iter(runner, runner.iter)
        with autocast():
            losses = model.loss(*batch)
        total, logged = model.parse_losses(losses)
        wrapper.update_params(total)
        for hook in hooks:
            hook.after_train_iter(runner, runner.iter, outputs=logged)
        runner.iter += 1

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
        run(inputs["unlabeled"])
        if model.teacher is not None:
            with torch.no_grad(), autocast():
                for half in ("labeled", "unlabeled")[0 if model.teacher_sees == "both" else 1 :]:
                    segment(model.teacher.model, inputs[half])
        else:
            run(inputs["unlabeled"])
        model.student.zero_grad()

    return passes


def autocast_of(amp: str | None) -> Callable[[], AbstractContextManager]:
    if amp is None:
        return nullcontext
    return lambda: torch.autocast(device().type, dtype={"bf16": torch.bfloat16, "fp16": torch.float16}[amp])


def case(what: Callable, config: str, size: int, batch: int, amp: str | None) -> Callable[[], None]:
    """`training_step` or `network_passes` of a config."""
    init_default_scope("mmseg")
    model = build(config, size)
    return what(model, batch_of(model, batch, size), autocast_of(amp))


def parts_of(model: SemiSegmentor, step: Callable[[], None], repeats: int) -> dict[str, float]:
    """Median seconds that a step spends in each of the method's parts."""
    seconds: dict[str, list[float]] = {}

    def watch(owner: object, method: str, name: str) -> None:
        call = getattr(owner, method)

        def watched(*arguments: object, **options: object) -> object:
            results: list[object] = []
            seconds.setdefault(name, []).append(timed(lambda: results.append(call(*arguments, **options))))
            return results[0]

        setattr(owner, method, watched)

    for path, method in PARTS:
        owner = model
        for attribute in filter(None, path.split(".")):
            owner = getattr(owner, attribute, None)
        if hasattr(owner, method):
            watch(owner, method, f"{path or 'model'}.{method}".removesuffix(".forward"))
    for _ in range(repeats):
        step()
    return {name: sum(values) / repeats for name, values in seconds.items()}


def overhead(config: str, args: argparse.Namespace) -> dict:
    """Median seconds of a step and of its network's passes, and the share of the step that is not the network's."""
    model = build(config, args.size)
    batch, autocast = batch_of(model, args.batch, args.size), autocast_of(args.amp)
    step, passes = training_step(model, batch, autocast), network_passes(model, batch, autocast)
    step(), passes()
    steps, networks = zip(*((timed(step), timed(passes)) for _ in range(args.repeats)), strict=True)
    whole, network = statistics.median(steps), statistics.median(networks)
    result = {"step_s": whole, "network_s": network, "overhead": 1 - network / whole}
    result["parts_s"] = parts_of(model, step, args.repeats)
    return result


def memory(config: str, args: argparse.Namespace) -> dict[str, float | None]:
    """Peak MiB of a step and of its network's passes, above the model."""
    result = {}
    for key, what in (("step_mib", training_step), ("network_mib", network_passes)):
        found = measure_alone(case, what, config, args.size, args.batch, args.amp, repeats=1)
        result[key] = None if found is None else found[1]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=129, help="height and width of the crops")
    parser.add_argument("--batch", type=int, default=4, help="labelled images; as many unlabelled ones")
    parser.add_argument("--amp", choices=["bf16", "fp16"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    init_default_scope("mmseg")
    result: dict[str, dict] = {name: memory(config, args) for name, config in CONFIGS.items()}
    for name, config in CONFIGS.items():
        result[name] |= overhead(config, args)
    title = f"R-101 DeepLabV3+, {args.batch} + {args.batch} crops of {args.size} x {args.size}"
    table = Table("method", "step s", "network s", "beside the network", "step MiB", "network MiB", title=title)
    for name, row in result.items():
        peaks = ("-" if row[key] is None else f"{row[key]:.0f}" for key in ("step_mib", "network_mib"))
        table.add_row(name, f"{row['step_s']:.2f}", f"{row['network_s']:.2f}", f"{row['overhead']:.1%}", *peaks)
    Console().print(table)
    table = Table("method", "part", "s", "of the step", title="parts of a step")
    for name, row in result.items():
        for part, seconds in row["parts_s"].items():
            table.add_row(name, part, f"{seconds:.4f}", f"{seconds / row['step_s']:.1%}")
    Console().print(table)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({"step": result, "machine": machine()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
