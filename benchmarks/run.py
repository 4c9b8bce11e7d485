"""All benchmarks in one: a table, and one file with every figure.

    python benchmarks/run.py --json work_dirs/bench/results.json

The contrast of CSS at the paper's sizes, a step of CSS and of PC2Seg, and PC2Seg's negatives; `contrast.py --help`,
`step.py --help` and `negative_sampling.py --help` say how each is measured, and measure more.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

BENCHMARKS = {"contrast.py": ["--no-growth"], "step.py": [], "negative_sampling.py": ["--repeats", "1"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("work_dirs/bench/results.json"))
    args = parser.parse_args()
    results: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in BENCHMARKS.items():
            part = Path(folder) / "part.json"
            script = Path(__file__).with_name(name)
            subprocess.run([sys.executable, str(script), *options, "--json", str(part)], check=True)
            found = json.loads(part.read_text())
            results |= {"negative_sampling": found} if name == "negative_sampling.py" else found
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=2) + "\n")
    print(f"wrote {args.json}")


if __name__ == "__main__":
    main()
