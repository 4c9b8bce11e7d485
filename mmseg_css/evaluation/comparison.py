"""Train several configs with the same seeds, evaluate the last checkpoint of each, and compare them pairwise."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from mmengine.config import Config

from mmseg_css.evaluation.statistics import class_iou, load_areas, paired_swap_test, paired_t_test
from mmseg_css.registry import DATASETS

PACKAGE: Final = Path(__file__).resolve().parents[1]


def run_settings(config: Path, seed: int, options: Sequence[str]) -> dict[str, object]:
    """What makes a run what it is."""
    return {"config": Config.fromfile(config).pretty_text, "options": list(options), "seed": seed}


def train(config: Path, work_dir: Path, seed: int, options: Sequence[str] = ()) -> None:
    """One run in a process of its own; its minutes and areas stay in the work dir. Nothing if it is finished.

    Raises:
        ValueError: The work dir holds a run of another config or other options.
        RuntimeError: The training failed.
    """
    done = work_dir / "done.json"
    wanted = run_settings(config, seed, options)
    if done.exists():
        if {key: json.loads(done.read_text()).get(key) for key in wanted} != wanted:
            raise ValueError(
                f"{work_dir} holds a finished run of another config or other options than {config}: name another "
                "--work-dir, or delete that folder"
            )
        return
    command = [sys.executable, "-m", "mmseg_css", "train", str(config), "--work-dir", str(work_dir), "--cfg-options"]
    command += [
        f"randomness.seed={seed}",
        "val_evaluator.type=PerImageIoUMetric",
        f"val_evaluator.areas_file={work_dir / 'areas.npz'}",
        *options,
    ]
    # So that a clone works without being installed.
    path = os.pathsep.join([str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    start = time.perf_counter()
    if status := subprocess.run(command, env={**os.environ, "PYTHONPATH": path}).returncode:
        raise RuntimeError(
            f"the training of {config} with seed {seed} ended with exit status {status}; it says why above"
        )
    done.write_text(json.dumps({"minutes": (time.perf_counter() - start) / 60, **wanted}))


def compare(
    configs: Mapping[str, Path], work_dir: Path, seeds: Sequence[int], options: Sequence[str] = (), block: int = 1
) -> dict[str, dict[str, Any]]:
    """Train what is not trained yet, and return what `results.json` holds."""
    for seed in seeds:
        for name, config in configs.items():
            train(config, work_dir / f"{name}_seed{seed}", seed, options)
    baseline = next(iter(configs))
    dataset = Config.fromfile(configs[baseline]).val_dataloader.dataset
    classes = {**DATASETS.get(dataset.type).METAINFO, **dataset.get("metainfo", {})}["classes"]
    runs = {name: [work_dir / f"{name}_seed{seed}" for seed in seeds] for name in configs}
    areas = {name: np.stack([load_areas(str(run / "areas.npz")) for run in paths]) for name, paths in runs.items()}

    results: dict[str, dict[str, Any]] = {}
    for name, paths in runs.items():
        per_class = class_iou(areas[name])
        miou = np.nanmean(per_class, axis=1)
        minutes = [json.loads((path / "done.json").read_text())["minutes"] for path in paths]
        results[name] = {
            "mIoU": float(miou.mean()),
            "mIoU_per_seed": dict(zip(map(str, seeds), miou.tolist(), strict=True)),
            "IoU": dict(zip(classes, per_class.mean(axis=0).tolist(), strict=True)),
            "minutes": float(np.mean(minutes)),
            "config": str(configs[name]),
        }
        if name != baseline:
            over_seeds = paired_t_test(miou, np.nanmean(class_iou(areas[baseline]), axis=1))
            results[name]["gain"] = over_seeds.mean
            if np.isfinite(over_seeds.p):
                results[name]["interval"] = [over_seeds.low, over_seeds.high]
                results[name]["p_seeds"] = over_seeds.p
            results[name]["p_images"] = paired_swap_test(areas[name], areas[baseline], block=block)
    (work_dir / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    return results
