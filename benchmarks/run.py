"""All benchmarks in one: a table of what everything costs, and one file with every figure.

    python benchmarks/run.py --json work_dirs/bench/results.json

The contrast of CSS at the paper's sizes and how it grows, a step of CSS and of PC2Seg, PC2Seg's negatives, dilated
depthwise convolutions, and the settings of the network; `--help` of `contrast.py`, `step.py`, `negative_sampling.py`,
`depthwise.py` and `network.py` says how each is measured. A quarter of an hour to forty minutes on two CPU cores.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

BENCHMARKS = ("contrast", "step", "negative_sampling", "depthwise", "network")
PIXELS = 8192  # of the row of PC2Seg's negatives


def measure(path: Path) -> dict:
    """Every figure of every benchmark; what is there stays in the file if a later one fails."""
    results: dict = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in BENCHMARKS:
            part = Path(folder) / "part.json"
            script = Path(__file__).with_name(f"{name}.py")
            subprocess.run([sys.executable, str(script), "--json", str(part)], check=True)
            found = json.loads(part.read_text())
            results |= found if name in ("contrast", "step") else {name: found}
            path.write_text(json.dumps(results, indent=2) + "\n")
    return results


def rows(results: dict) -> Iterator[tuple[str, str, float, float, float | None, float | None]]:
    """What was measured, against what, seconds of both, and MiB of both where they were measured."""
    contrast = results["contrast"]
    looped = contrast["looped"]
    for form in ("per_query", "per_class"):
        own = contrast[form]
        yield f"CSS's contrast, {form}", "published form", own["seconds"], looped["seconds"], own["mib"], looped["mib"]
    for row in results["negative_sampling"]["rows"]:
        if row["pixels"] == PIXELS:
            values = (row[key] for key in ("ours_s", "naive_s", "ours_mib", "naive_mib"))
            yield f"PC2Seg's contrast, {PIXELS} pixels", "M x M matrix", *values
    for row in results["depthwise"]["rows"]:
        what = "depthwise {taps} x {taps}, dilated, {height} x {width}, on the CPU".format(**row)
        yield what, "torch's own", row["ours_s"], row["torch_s"], None, None
    for method, row in results["step"].items():
        values = (row[key] for key in ("step_s", "network_s", "step_mib", "passes_mib"))
        yield f"a step of {method}", "its network's passes", *values
    plain = results["network"]["steps"]["plain"]["step_s"]
    for setting, row in results["network"]["steps"].items():
        if setting != "plain":
            yield f"a step of css, {setting}", "a plain step", row["step_s"], plain, None, None
    if speed := results["network"]["images_per_second"]:
        yield "an image from the loader, cached", "read", 1 / speed["cached"], 1 / speed["read"], None, None


def summary(results: dict) -> Table:
    machine = results["machine"]
    where = machine["processor"] if machine["device"] == "cpu" else machine["device"]
    title = f"{where}, {machine['threads']} threads, torch {machine['torch']}, {machine['date']}, {machine['commit']}"
    table = Table("what", "s", "MiB", "against", "s", "MiB", "times faster", "of the memory", title=title)
    for what, other, seconds, other_seconds, mib, other_mib in rows(results):
        both = mib is not None and other_mib is not None
        table.add_row(
            what,
            f"{seconds:.4f}",
            "" if mib is None else f"{mib:.0f}",
            other,
            f"{other_seconds:.4f}",
            "" if other_mib is None else f"{other_mib:.0f}",
            f"{other_seconds / seconds:.2f}",
            f"{mib / other_mib:.2f}" if both else "",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("work_dirs/bench/results.json"))
    args = parser.parse_args()
    results = measure(args.json)
    Console(width=140).print(summary(results))
    print(f"wrote {args.json}")


if __name__ == "__main__":
    main()
