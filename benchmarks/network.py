"""What the settings of the network are worth: a step of CSS with each of them, and the data that feeds it.

    python benchmarks/network.py
    python benchmarks/network.py --settings plain channels_last compile --json FILE

Steps of all settings are repeated in turn, so that a slow moment of the machine meets all of them; medians, as times
faster than the first named. `inference_mode` runs the teacher under it instead of under `no_grad`; there is no
setting for it. Then images per second out of a single loading process, with and without `Cached`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from measure import machine, timed, write_json
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table
from step import batch_of, build, training_step, wrapper_of

from mmseg_css.registry import DATASETS

#: Memory format, autocast, compiled backbone, teacher under inference_mode.
SETTINGS: dict[str, dict] = {
    "plain": {},
    "channels_last": {"channels_last": True},
    "bf16": {"amp": "bf16"},
    "fp16": {"amp": "fp16"},
    "compile": {"compiled": True},
    "inference_mode": {"inference": True},
}

DEFAULTS = ["plain", "channels_last", "bf16", "inference_mode"]  # compiling takes minutes, and CPUs are slow in fp16


def prepared(
    args: argparse.Namespace,
    channels_last: bool = False,
    amp: str | None = None,
    compiled: bool = False,
    inference: bool = False,
) -> Callable[[], None]:
    """A training step with these settings, warmed up."""
    cfg = Config.fromfile(args.config)
    size = (args.size, args.size)
    model = build(cfg, size)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    if compiled:
        model.student.backbone.compile()
        model.teacher.model.backbone.compile()
    if inference:
        head = model.teacher.model.decode_head
        head.forward_embeddings = torch.inference_mode()(head.forward_embeddings)
        model.teacher.model.extract_feat = torch.inference_mode()(model.teacher.model.extract_feat)
    step = training_step(model, batch_of(model, args.batch, size), wrapper_of(model, cfg, amp))
    step(), step()
    return step


def steps(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    calls = {name: prepared(args, **settings) for name, settings in SETTINGS.items() if name in args.settings}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(args.repeats):
        for name, call in calls.items():
            seconds[name].append(timed(call))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    first = medians[args.settings[0]]
    return {name: {"step_s": value, "speedup": first / value} for name, value in medians.items()}


def loading(config: str, images: int) -> dict[str, float]:
    """Images per second of a config's labelled data set in one process; ``cached`` the second time round.

    Nothing where the data set is not there.
    """
    labeled = Config.fromfile(config).train_dataloader.dataset.labeled
    if not Path(labeled.data_prefix.img_path).is_dir():
        print(f"loading is not measured: there is no folder {labeled.data_prefix.img_path} (--data names a config)")
        return {}
    kept = next(i for i, t in enumerate(labeled.pipeline) if t.type not in ("LoadImageFromFile", "LoadAnnotations"))
    cached = labeled.copy()
    cached.pipeline = [{"type": "Cached", "transforms": labeled.pipeline[:kept]}, *labeled.pipeline[kept:]]
    result = {}
    for name, settings in {"read": labeled, "cached": cached}.items():
        dataset = DATASETS.build(settings)
        for _ in range(2):
            start = time.perf_counter()
            for index in range(images):
                dataset[index % len(dataset)]
            result[name] = images / (time.perf_counter() - start)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="configs/css/css_r101_voc_1-8.py")
    parser.add_argument("--size", type=int, default=129, help="height and width of the crops")
    parser.add_argument("--batch", type=int, default=4, help="labelled images; as many unlabelled ones")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=DEFAULTS)
    parser.add_argument("--data", default="configs/css/css_lite0_camvid_1-8.py", help="whose images are loaded")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    init_default_scope("mmseg")
    result = {"steps": steps(args), "images_per_second": loading(args.data, args.images), "machine": machine()}
    table = Table("setting", "step s", "times faster", title=f"CSS, {args.batch} + {args.batch} of {args.size}^2")
    for name, row in result["steps"].items():
        table.add_row(name, f"{row['step_s']:.2f}", f"{row['speedup']:.2f}")
    Console().print(table)
    print("; ".join(f"{name}: {value:.0f} images/s" for name, value in result["images_per_second"].items()))
    if args.json:
        write_json(args.json, result)


if __name__ == "__main__":
    main()
