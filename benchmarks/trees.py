"""Seconds of a training step in several trees of this repository, such as one of an earlier commit.

    git worktree add ../before 6f91413      # and there: its demo data and its weights, by its own commands
    python benchmarks/trees.py configs/css/css_lite0_demo.py --trees ../before . --json FILE

Each tree trains the config as it has it, with its own loader and hooks, one thread and the memory that glibc keeps, as
in a comparison of today (`KEEP_MEMORY`), or not. They train in turn, so that a slow moment of the machine meets all;
medians over rounds of each training's median.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import machine
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmseg_css.evaluation.comparison.lanes import KEEP_MEMORY

WARM_UP = 10  # steps


def seconds(tree: Path, config: str, steps: int, environment: dict[str, str]) -> float:
    """Median seconds of a step of a short training."""
    with tempfile.TemporaryDirectory() as folder:
        options = [f"train_cfg.max_iters={steps}", "train_cfg.val_interval=1000000", "default_hooks.logger.interval=1"]
        command = [sys.executable, "tools/train.py", config, "--work-dir", folder, "--cfg-options", *options]
        own = {"PYTHONPATH": str(tree.resolve()), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        subprocess.run(command, cwd=tree, env={**os.environ, **own, **environment}, check=True, capture_output=True)
        return step_of(next(Path(folder).glob("*/vis_data/scalars.json")))


def step_of(log: Path) -> float:
    """Median over the steps that a training logged, one by one, without the first."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    return statistics.median([row["time"] for row in rows if "time" in row and "loss" in row][WARM_UP:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="its path in each tree")
    parser.add_argument("--trees", nargs="+", type=Path, required=True, help="the first to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    found: dict[tuple[str, bool], list[float]] = {
        (str(tree), kept): [] for tree in args.trees for kept in (False, True)
    }
    for _ in track(range(args.rounds), description=Path(args.config).stem):
        for (tree, kept), rounds in found.items():
            rounds.append(seconds(Path(tree), args.config, args.steps, KEEP_MEMORY if kept else {}))
    rows = [
        {"commit": commit_of(tree), "memory_kept": kept, "step_s": statistics.median(rounds), "rounds_s": rounds}
        for (tree, kept), rounds in found.items()
    ]
    table = Table("commit", "memory kept", "s", "times faster")
    for row in rows:
        faster = f"{rows[0]['step_s'] / row['step_s']:.2f}"
        table.add_row(row["commit"], "yes" if row["memory_kept"] else "no", f"{row['step_s']:.3f}", faster)
    Console().print(table)
    if args.json:
        text = json.dumps({"config": args.config, "trees": rows, "machine": machine() | {"threads": 1}}, indent=2)
        args.json.write_text(f"{text}\n")


def commit_of(tree: str) -> str:
    command = ["git", "-C", tree, "describe", "--always"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
