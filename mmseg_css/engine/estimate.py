"""How long a training will take on this machine, from a few of its steps over made-up images."""

import gc
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn
from tqdm import tqdm

from mmseg_css.cfg_options import parse_options
from mmseg_css.compat.cpu import busy
from mmseg_css.config_files import read_config
from mmseg_css.evaluation.comparison.machine import at_a_time
from mmseg_css.evaluation.comparison.progress import in_words
from mmseg_css.registry import HOOKS, MODELS

STEPS: Final = 3
PATIENCE: Final = 5.0  # seconds, after which no further step is measured
#: Hooks that make a step faster.
FASTER: Final = ("channels_last", "depthwise")


def make_faster(model: nn.Module, cfg: Config) -> None:
    """What hooks of a config do to a model before its training, so that a step is faster."""
    for name in FASTER:
        if name in cfg.default_hooks:
            HOOKS.build(cfg.default_hooks[name]).before_run(SimpleNamespace(model=model))


def seconds_a_step(cfg: Config) -> float:
    """Median seconds of a training step of a config, loading and validation apart.

    The first step, which warms up, does not count. Weights start at random: none are needed, and none downloaded. GPU
    memory is free again afterwards, for the trainings, which run in other processes.
    """
    try:
        return statistics.median(_step_seconds(cfg)[1:])
    finally:
        if torch.cuda.is_initialized():
            gc.collect()  # models hold themselves in circles
            torch.cuda.empty_cache()


def _step_seconds(cfg: Config) -> list[float]:
    init_default_scope(cfg.get("default_scope", "mmseg"))
    model = MODELS.build(cfg.model).to(get_device()).train()
    make_faster(model, cfg)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = made_up_batch(cfg, model.num_classes if hasattr(model, "student") else model.decode_head.num_classes)
    seconds: list[float] = []
    start = time.perf_counter()
    while len(seconds) <= STEPS and (len(seconds) < 2 or time.perf_counter() - start < PATIENCE):
        before = time.perf_counter()
        if hasattr(model, "required_hooks"):
            model.present_hooks |= set(model.required_hooks)
        losses = model.train_step(batch, wrapper)
        losses["loss"].item()  # waits for the device
        seconds.append(time.perf_counter() - before)
    return seconds


def made_up_batch(cfg: Config, classes: int) -> dict[str, Any]:
    """What the config's loader would give: random images, and masks of large blocks that show several classes."""
    loader, settings = cfg.train_dataloader, cfg.model.data_preprocessor
    halves = ("labeled", "unlabeled") if "unlabeled" in loader.dataset else ("labeled",)
    each = loader.batch_size // len(halves)
    generator = torch.Generator().manual_seed(0)
    channels = cfg.model.get("segmentor", cfg.model).backbone.get("in_channels", 3)
    shape = (channels, *settings.size)

    def half() -> dict[str, list]:
        images = [torch.randint(256, shape, dtype=torch.uint8, generator=generator) for _ in range(each)]
        blocks = torch.randint(classes, (each, 1, 4, 4), generator=generator).float()
        masks = torch.nn.functional.interpolate(blocks, settings.size, mode="nearest").long()
        samples = [SegDataSample(gt_sem_seg=PixelData(data=mask)) for mask in masks]
        return {"inputs": images, "data_samples": samples}

    batches = {name: half() for name in halves}
    return batches if len(halves) > 1 else batches["labeled"]


def print_estimates(paths: Iterable[Path]) -> None:
    """Say of each config file how long its training takes here."""
    print("\nHow long that takes here, loading and validation apart:")
    _tell_if_busy()
    for path in paths:
        cfg = read_config(path)
        steps, each = cfg.train_cfg.max_iters, seconds_a_step(cfg)
        print(f"  {in_words(steps * each / 60)} ({steps} steps of {each:.2g} s) for {path}", flush=True)


def _tell_if_busy() -> None:
    if told := busy():
        print(f"  ({told})", flush=True)


def print_duration(trainings: Sequence[tuple[Path, int]], jobs: int, options: Sequence[str] = ()) -> None:
    """Say how long it takes until all these trainings are finished here.

    Args:
        trainings: Config file and number of steps, that are still to be made, of each. A step of each file is measured.
        jobs: Trainings side by side; with more than one, each has one thread.
        options: ``KEY=VALUE``, settings of all configs.
    """
    if not trainings:
        return
    if jobs > 1:
        torch.set_num_threads(1)
    _tell_if_busy()
    configs = tqdm(list(dict.fromkeys(path for path, _ in trainings)), desc="steps timed", unit="config", leave=False)
    each = {path: seconds_a_step(read_config(path, parse_options(options))) for path in configs}
    seconds = [each[path] * steps for path, steps in trainings]
    until_all = max(sum(seconds) / at_a_time(jobs), *seconds)
    print(
        f"{len(trainings)} trainings, about {in_words(until_all / 60)} on this machine, loading and evaluation apart",
        flush=True,
    )
