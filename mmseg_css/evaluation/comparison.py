"""Train several configs with the same seeds, evaluate the last checkpoint of each, and compare them pairwise.

    python tools/compare.py supervised=configs/css/supervised_lite0_camvid_1-8.py \\
        css=configs/css/css_lite0_camvid_1-8.py --seeds 0 1 2 --block 10 --work-dir work_dirs/camvid_1-8

The first one named is the baseline. Runs that are finished are not repeated. Writes ``results.json`` into the work dir.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


import mmseg_css  # noqa: E402, F401  (checks the stack and registers everything, before any config is read)

# isort: split
import numpy as np  # noqa: E402
from mmengine.config import Config  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from mmseg_css.evaluation import class_iou, load_areas, paired_swap_test, paired_t_test  # noqa: E402
from mmseg_css.registry import DATASETS  # noqa: E402

TRAIN = Path(__file__).resolve().parents[2] / "tools" / "train.py"


def run_settings(config: Path, seed: int, options: Sequence[str]) -> dict[str, object]:
    """What makes a run what it is."""
    return {"config": Config.fromfile(config).pretty_text, "options": list(options), "seed": seed}


def train(config: Path, work_dir: Path, seed: int, options: Sequence[str] = ()) -> None:
    """One run in a process of its own; its minutes and areas stay in the work dir. Nothing if it is finished.

    Raises:
        ValueError: if the work dir holds a run of another config or other options.
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
    command = [sys.executable, str(TRAIN), str(config), "--work-dir", str(work_dir), "--cfg-options"]
    command += [
        f"randomness.seed={seed}",
        "val_evaluator.type=PerImageIoUMetric",
        f"val_evaluator.areas_file={work_dir / 'areas.npz'}",
        *options,
    ]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    done.write_text(json.dumps({"minutes": (time.perf_counter() - start) / 60, **wanted}))


def compare(
    configs: Mapping[str, Path], work_dir: Path, seeds: Sequence[int], options: Sequence[str] = (), block: int = 1
) -> dict[str, dict]:
    """Train what is not trained yet, and return what `results.json` holds."""
    for seed in seeds:
        for name, config in configs.items():
            train(config, work_dir / f"{name}_seed{seed}", seed, options)
    baseline = next(iter(configs))
    dataset = Config.fromfile(configs[baseline]).val_dataloader.dataset
    classes = {**DATASETS.get(dataset.type).METAINFO, **dataset.get("metainfo", {})}["classes"]
    runs = {name: [work_dir / f"{name}_seed{seed}" for seed in seeds] for name in configs}
    areas = {name: np.stack([load_areas(str(run / "areas.npz")) for run in paths]) for name, paths in runs.items()}

    results: dict[str, dict] = {}
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


def print_table(results: Mapping[str, dict]) -> None:
    """mIoU (mean over seeds, and each seed), gain over the baseline and its p-values, IoU per class, minutes."""
    table = Table("", *results, title="IoU of the last checkpoint, percent")
    table.add_row("mIoU", *(f"{result['mIoU']:.1f}" for result in results.values()))
    table.add_row("  by seed", *(_join(result["mIoU_per_seed"].values()) for result in results.values()))
    table.add_row("gain", *(f"{result['gain']:+.1f}" if "gain" in result else "" for result in results.values()))
    table.add_row("  95 % interval", *(_interval(result.get("interval")) for result in results.values()))
    for key, label in (("p_seeds", "p over seeds (t-test)"), ("p_images", "p over images (swaps)")):
        table.add_row(label, *(f"{result[key]:.4f}" if key in result else "" for result in results.values()))
    for name in next(iter(results.values()))["IoU"]:
        table.add_row(f"  {name}", *(f"{result['IoU'][name]:.1f}" for result in results.values()))
    table.add_row("minutes a run", *(f"{result['minutes']:.1f}" for result in results.values()))
    Console().print(table)


def _interval(bounds: Sequence[float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:+.1f} to {bounds[1]:+.1f}"


def _join(values: Iterable[float]) -> str:
    return " / ".join(f"{value:.1f}" for value in values)


def named_config(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"expected NAME=CONFIG with an existing config file, got {text!r}")
    return name, Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+", type=named_config, metavar="NAME=CONFIG")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument(
        "--block", type=int, default=1, help="neighbouring images that the test swaps together (frames of a video: 10)"
    )
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="passed on to every run")
    args = parser.parse_args()
    results = compare(dict(args.configs), args.work_dir, args.seeds, args.cfg_options, args.block)
    print_table(results)


if __name__ == "__main__":
    main()
