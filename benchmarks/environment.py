"""What variables of the environment are worth that a process reads when it starts.

    python benchmarks/environment.py
    python benchmarks/environment.py --settings plain memory --lanes 2 --json FILE

`two_threads`: two in place of one, which with ``--lanes 2`` tells what two trainings side by side are worth.
`memory`: glibc keeps what a step frees, as in the trainings of a comparison (`KEEP_MEMORY`). `bf16_math`: oneDNN may
compute float32 in bfloat16. `primitives`: it keeps sixteen times as many compiled operators. `avx`: it uses no later
instructions than AVX. Steps of the configs as they are, with one thread otherwise, in processes of their own with each
setting in turn; medians over rounds of each process's median. ``--lanes N`` has N of them side by side.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from measure import machine, timed, write_json
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table
from step import batch_of, build, training_step, wrapper_of

from mmseg_css.engine.estimate import make_faster
from mmseg_css.evaluation.comparison.lanes import KEEP_MEMORY

SETTINGS: dict[str, dict[str, str]] = {
    "plain": {},
    "two_threads": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
    "memory": KEEP_MEMORY,
    "bf16_math": {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"},
    "primitives": {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16384"},
    "avx": {"ONEDNN_MAX_CPU_ISA": "AVX"},
}
CONFIGS = ("configs/css/css_lite0_demo.py", "configs/css/css_lite0_camvid_1-8.py")
WARM_UP = 6


def steps(config: str, repeats: int) -> dict[str, float]:
    """Median seconds of a step, and how often it asks the system for a page of memory."""
    init_default_scope("mmseg")
    cfg = Config.fromfile(config)
    size, batch = tuple(cfg.crop_size), cfg.train_dataloader.batch_size // 2
    model = build(cfg, size)
    make_faster(model, cfg)
    step = training_step(model, batch_of(model, batch, size), wrapper_of(model, cfg))
    for _ in range(WARM_UP):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    seconds = statistics.median(timed(step) for _ in range(repeats))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {"step_s": seconds, "faults": (after.ru_minflt - before) / repeats, "peak_gib": after.ru_maxrss / 2**20}


def side_by_side(config: str, repeats: int, lanes: int, settings: dict[str, str]) -> dict[str, float]:
    """The means of ``steps`` in so many processes at once."""
    command = [sys.executable, __file__, config, "--alone", "--repeats", str(repeats)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **settings}
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(lanes)]
    found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    return {key: statistics.mean(one[key] for one in found) for key in found[0]}


def compare(config: str, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Medians over the rounds, with each setting."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in args.settings}
    for _ in track(range(args.rounds), description=Path(config).stem):
        for name, found in rounds.items():
            found.append(side_by_side(config, args.repeats, args.lanes, SETTINGS[name]))
    return {
        name: {key: statistics.median(one[key] for one in found) for key in found[0]} for name, found in rounds.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=CONFIGS, metavar="CONFIG", help="of semi-supervised methods")
    parser.add_argument(
        "--settings", nargs="+", choices=SETTINGS, default=[*SETTINGS], help="the first to compare with"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=20, help="steps of each process")
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    args = parser.parse_args()
    if args.alone:
        print(json.dumps(steps(args.configs[0], args.repeats)))
        return
    found = {Path(config).stem: compare(config, args) for config in args.configs}
    table = Table("config", "setting", "s", "times faster", "pages asked for", "peak GiB")
    for name, rows in found.items():
        first = rows[args.settings[0]]["step_s"]
        for setting, row in rows.items():
            figures = (f"{row['step_s']:.3f}", f"{first / row['step_s']:.2f}", f"{row['faults']:.0f}")
            table.add_row(name, setting, *figures, f"{row['peak_gib']:.2f}")
    Console().print(table)
    if args.json:
        where = machine(threads=1, side_by_side=args.lanes)
        write_json(args.json, {"environment": found, "lanes": args.lanes, "machine": where})


if __name__ == "__main__":
    main()
