"""What a training step costs beside its network's passes.

    python benchmarks/step.py                                  # CSS and PC2Seg, R-101 DeepLabV3+, on VOC
    python benchmarks/step.py configs/css/css_lite0_demo.py --as-configured --json FILE

A step is what training does: losses, backward pass, the check that it is finite, optimiser, teacher and prototypes.
The network's passes are those that the step was seen to make, forward over random images as large and as many, and
backward with the mean of the outputs as the loss. Both are repeated in turn, so that a slow moment of the machine meets
both; medians. Memory is the peak above the model: on a GPU of these steps, on a CPU each in a process of its own. The
parts are timed within steps of their own: the losses with all that they call, of which the parts of the method, forward
alone, except for the contrast, whose gradient is computed there too; the backward pass; the optimiser; the hooks' work.
On a GPU also: the share of a step in which it computes, and how often a step waits for it.

Crops and batches are the config's own on a GPU, and 129 x 129 and 4 + 4 on a CPU, unless they are given. With
``--as-configured`` they are the config's own on a CPU, too, and so is what its hooks do to make a step faster.
"""

import argparse
import logging
import statistics
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from measure import MIB, device, forget_peak, give_back, machine, measure_alone, peak_mib, timed, write_json
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from passes import recorded, repeated
from rich.console import Console
from rich.table import Table

import mmseg_css  # noqa: F401  (registers the models)
from mmseg_css.engine.estimate import make_faster
from mmseg_css.engine.hooks import FiniteStepHook, PrototypeCommitHook, TeacherUpdateHook
from mmseg_css.models.segmentors import Progress, SemiSegmentor
from mmseg_css.registry import MODELS

CONFIGS = ("configs/css/css_r101_voc_1-8.py", "configs/pc2seg/pc2seg_r101_voc_1-8.py")
ON_A_CPU = {"size": 129, "batch": 4}
WRAPPERS: dict[str | None, dict] = {
    None: {"type": "OptimWrapper"},
    "bf16": {"type": "AmpOptimWrapper", "dtype": "bfloat16", "loss_scale": 1.0},
    "fp16": {"type": "AmpOptimWrapper", "dtype": "float16", "loss_scale": "dynamic"},
}
#: What a method does beside its network: where it is, and what is called.
PARTS = (
    ("", "loss"),
    ("", "pseudo_labelled_view"),
    ("", "pseudo_labelled"),
    ("augmentation", "forward"),
    ("pseudo_label_loss", "forward"),
    ("consistency_loss", "forward"),
    ("contrast_loss", "forward"),
    ("bank", "observe"),
    ("bank", "lookahead"),
    ("bank", "commit"),
    ("teacher", "update"),
)


def shape_of(cfg: Config, args: argparse.Namespace) -> tuple[tuple[int, int], int]:
    """Crop and number of labelled images: what was asked for, else the config's on a GPU, else small ones."""
    small = ON_A_CPU if device().type == "cpu" and not args.as_configured else {}
    size, batch = args.size or small.get("size"), args.batch or small.get("batch")
    return (size, size) if size else tuple(cfg.crop_size), batch or cfg.train_dataloader.batch_size // 2


def build(cfg: Config, size: tuple[int, int]) -> SemiSegmentor:
    """The config's model on this machine, with crops of this size and nothing pretrained."""
    model = cfg.model
    model.segmentor.backbone.init_cfg = None
    model.data_preprocessor.size = size
    if "crop" in model.get("augmentation", {}):
        model.augmentation.crop = size
    # A single process without a process group trains with BN.
    for part in (model.segmentor.backbone, model.segmentor.decode_head):
        if "norm_cfg" in part:
            part.norm_cfg.type = "BN"
    return MODELS.build(model).to(device()).train()


def batch_of(model: SemiSegmentor, batch: int, size: tuple[int, int]) -> tuple[dict, dict]:
    """Random images and masks in large blocks, so that crops hold several classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, batch, 3, *size, generator=generator).to(device())
    blocks = torch.randint(model.num_classes, (batch, 1, 4, 4), generator=generator)
    masks = torch.nn.functional.interpolate(blocks.float(), size, mode="nearest").long().to(device())
    labeled = []
    for mask in masks:
        sample = SegDataSample(metainfo={"img_shape": size, "padding_size": (0, 0, 0, 0)})
        sample.gt_sem_seg = PixelData(data=mask)
        labeled.append(sample)
    unlabeled = [SegDataSample(metainfo={"padding_size": (0, 0, 0, 0)}) for _ in range(batch)]
    return {"labeled": images[0], "unlabeled": images[1]}, {"labeled": labeled, "unlabeled": unlabeled}


def wrapper_of(model: SemiSegmentor, cfg: Config, amp: str | None = None) -> OptimWrapper:
    """The config's optimiser, in this precision."""
    kind = {"type": "CpuAmpOptimWrapper"} if amp == "bf16" and device().type == "cpu" else WRAPPERS[amp]
    own = {key: value for key, value in cfg.optim_wrapper.items() if key not in ("type", "dtype", "loss_scale")}
    return build_optim_wrapper(model, own | kind)


def training_step(model: SemiSegmentor, batch: tuple[dict, dict], wrapper: OptimWrapper) -> Callable[[], None]:
    """What MMEngine's loop does with a batch, and the hooks that work at every step."""
    hooks: list[Hook] = [FiniteStepHook()]
    if model.teacher is not None:
        hooks.append(TeacherUpdateHook())
    if hasattr(model, "bank"):
        hooks.append(PrototypeCommitHook())
    runner = SimpleNamespace(
        model=model,
        optim_wrapper=wrapper,
        message_hub=MessageHub.get_instance("benchmark"),
        logger=logging.getLogger("benchmark"),
        iter=0,
    )
    for hook in hooks:
        hook.before_train(runner)

    def step() -> None:
        model.progress = Progress(runner.iter, 1000, 0)
        for hook in hooks:
            hook.before_train_iter(runner, runner.iter)
        with wrapper.optim_context(model):
            losses = model.loss(*batch)
        total, logged = model.parse_losses(losses)
        wrapper.update_params(total)
        for hook in hooks:
            hook.after_train_iter(runner, runner.iter, outputs=logged)
        runner.iter += 1

    return step


def case(what: str, config: str, args: argparse.Namespace) -> Callable[[], None]:
    """A ``step`` of a config, or its network's ``passes``."""
    init_default_scope("mmseg")
    cfg = Config.fromfile(config)
    size, batch = shape_of(cfg, args)
    model = build(cfg, size)
    wrapper = wrapper_of(model, cfg, args.amp)
    step = training_step(model, batch_of(model, batch, size), wrapper)
    return step if what == "step" else passes_of(model, step, wrapper)


def passes_of(model: SemiSegmentor, step: Callable[[], None], wrapper: OptimWrapper) -> Callable[[], None]:
    """The network's passes of a step."""
    with recorded(model) as calls:
        step()
    give_back()
    return repeated(calls, lambda: wrapper.optim_context(model), device())


def parts_of(model: SemiSegmentor, wrapper: OptimWrapper, step: Callable[[], None], repeats: int) -> dict[str, float]:
    """Mean seconds that a step spends in each of its parts."""
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
    watch(wrapper, "backward", "backward")
    watch(wrapper, "step", "optimiser")
    for _ in range(repeats):
        step()
    return {name: sum(values) / repeats for name, values in seconds.items()}


def on_the_gpu(step: Callable[[], None]) -> dict[str, Any]:
    """The share of a step in which the GPU computes, and what makes a step wait for it."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        seconds = timed(step)
    kernels = sum(event.self_device_time_total for event in profiler.key_averages()) / 1e6
    torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        step()
    torch.cuda.set_sync_debug_mode("default")
    waits = [f"{Path(one.filename).name}:{one.lineno}" for one in caught if "synchroniz" in str(one.message)]
    return {"computing": kernels / seconds, "waits": waits}


def memory(config: str, args: argparse.Namespace) -> dict[str, float | None]:
    """Peak MiB of a step and of its network's passes, above the model, on a CPU."""
    result = {}
    for what in ("step", "passes"):
        found = measure_alone(case, what, config, args, repeats=1)
        result[f"{what}_mib"] = None if found is None else found[1]
    return result


def watched(call: Callable[[], None], base: float) -> float:
    """MiB of the GPU that a call needs above ``base``."""
    forget_peak()
    call()
    return peak_mib() - base


def overhead(config: str, args: argparse.Namespace) -> dict[str, Any]:
    """Median seconds of a step and of its network's passes, and the share of the step that is not the network's."""
    give_back()
    cfg = Config.fromfile(config)
    size, batch = shape_of(cfg, args)
    model = build(cfg, size)
    if args.as_configured:
        make_faster(model, cfg)
    if args.channels_last:
        model.to(memory_format=torch.channels_last)
    if args.compile:
        model.student.backbone.compile()
    torch.backends.cudnn.benchmark = cfg.env_cfg.cudnn_benchmark
    on_gpu = device().type == "cuda"
    base = torch.cuda.memory_allocated() / MIB if on_gpu else 0.0
    wrapper = wrapper_of(model, cfg, args.amp)
    step = training_step(model, batch_of(model, batch, size), wrapper)
    passes = passes_of(model, step, wrapper)
    for _ in range(args.warm_up):
        step(), passes()
    result: dict[str, Any] = {"crop": size, "labeled": batch, "unlabeled": batch, "amp": args.amp}
    if on_gpu:
        result |= {"step_mib": watched(step, base), "passes_mib": watched(passes, base)}
    steps, networks = zip(*((timed(step), timed(passes)) for _ in range(args.repeats)), strict=True)
    whole, network = statistics.median(steps), statistics.median(networks)
    result |= {"step_s": whole, "network_s": network, "overhead": 1 - network / whole}
    if on_gpu:
        result |= on_the_gpu(step)
    result["parts_s"] = parts_of(model, wrapper, step, args.repeats)
    return result


def show(result: dict[str, dict]) -> None:
    """The figures of every config as tables."""
    console = Console() if sys.stdout.isatty() else Console(width=130)
    columns = ("step s", "steps/s", "network s", "beside it", "step MiB", "network MiB", "computing", "waits")
    table = Table("config", *columns)
    for name, row in result.items():
        peaks = ["-" if row[key] is None else f"{row[key]:.0f}" for key in ("step_mib", "passes_mib")]
        gpu = [f"{row['computing']:.0%}", str(len(row["waits"]))] if "waits" in row else ["-", "-"]
        times = [format(row["step_s"], ".3f"), format(1 / row["step_s"], ".2f"), format(row["network_s"], ".3f")]
        times.append(f"{row['overhead']:.1%}")
        what = f"{name}, {row['labeled']} + {row['unlabeled']} of {row['crop'][0]} x {row['crop'][1]}"
        table.add_row(what, *times, *peaks, *gpu)
    console.print(table)
    table = Table("config", "part", "s", "of the step", title="parts of a step")
    for name, row in result.items():
        for part, seconds in row["parts_s"].items():
            table.add_row(name, part, f"{seconds:.4f}", f"{seconds / row['step_s']:.1%}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=CONFIGS, metavar="CONFIG", help="of semi-supervised methods")
    parser.add_argument("--size", type=int, help="height and width of the crops")
    parser.add_argument("--batch", type=int, help="labelled images; as many unlabelled ones")
    parser.add_argument("--amp", choices=["bf16", "fp16"])
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="the student's backbone, as model.compile_backbone does")
    parser.add_argument("--as-configured", action="store_true", help="crops, batch and faster layers of the config")
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    init_default_scope("mmseg")
    result: dict[str, dict] = {}
    for config in args.configs:
        row = memory(config, args) if device().type == "cpu" else {}
        result[Path(config).stem] = row | overhead(config, args)
        if args.json:  # at once: a later config may be too large for this machine
            write_json(args.json, {"step": result, "machine": machine()})
    show(result)


if __name__ == "__main__":
    main()
