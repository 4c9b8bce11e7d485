"""Seconds of a training step in several trees of this repository, such as one of an earlier commit.

    git worktree add ../before 6f91413      # and there: its demo data and its weights, by its own commands
    python benchmarks/trees.py configs/css/css_lite0_demo.py --trees ../before . --json FILE

Each tree trains the config as it has it, with its own loader and hooks, with one thread. They train in turn, so that a
slow moment of the machine meets all; medians over the steps of a training, and over the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import machine, write_json
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmseg_css.evaluation.comparison.machine import commit_of

WARM_UP = 10  # steps
OPTIONS = (
    "train_cfg.val_interval=1000000",
    "default_hooks.logger.interval=1",
    "log_processor.window_size=1",  # or each time in the log is a mean over ten steps
)


def seconds(tree: Path, config: str, steps: int) -> float:
    """Median seconds of a step of a short training."""
    with tempfile.TemporaryDirectory() as folder:
        options = [*OPTIONS, f"train_cfg.max_iters={steps}"]
        command = [sys.executable, "tools/train.py", config, "--work-dir", folder, "--cfg-options", *options]
        own = {"PYTHONPATH": str(tree.resolve()), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        subprocess.run(command, cwd=tree, env={**os.environ, **own}, check=True, stdout=subprocess.DEVNULL)
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
    found: dict[Path, list[float]] = {tree: [] for tree in args.trees}
    for _ in track(range(args.rounds), description=Path(args.config).stem):
        for tree, rounds in found.items():
            rounds.append(seconds(tree, args.config, args.steps))
    first = found[args.trees[0]]
    rows = []
    table = Table("commit", "s", "times faster, median of the rounds", "each round")
    for tree, rounds in found.items():
        commit, step_s = commit_of(tree), statistics.median(rounds)
        each = [old / new for old, new in zip(first, rounds, strict=True)]
        faster = statistics.median(each)
        rows.append({"commit": commit, "step_s": step_s, "rounds_s": rounds, "times_faster": faster})
        table.add_row(commit, f"{step_s:.3f}", f"{faster:.2f}", " ".join(f"{ratio:.2f}" for ratio in each))
    Console().print(table)
    if args.json:
        write_json(args.json, {"config": args.config, "trees": rows, "machine": machine(threads=1)})


if __name__ == "__main__":
    main()
