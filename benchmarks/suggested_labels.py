"""Is it worth more to label suggested images than random ones? From the root of the repository:

    python benchmarks/suggested_labels.py camvid --jobs 2 --records docs/measured/suggested_labels/camvid

For each draw: a supervised training with the images of ``configs/splits/DATA/1-30.txt``; as many images more by every
rule, random ones among them, each with its true labels; and a training from the beginning with both. Draws differ in
the random images and in the seed of the trainings, and so in the network that suggests; the rules of one draw share
the seed. The list that all begin with is one. What is finished is not trained again.
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import mmseg_css.register  # noqa: F401
from mmseg_css.config_files import read_config
from mmseg_css.datasets.splits import read_ids
from mmseg_css.deployment.suggestion.choosing import Rule
from mmseg_css.deployment.suggestion.request import Request, suggest
from mmseg_css.deployment.suggestion.writing import LIST
from mmseg_css.evaluation.comparison.compare import write_results
from mmseg_css.evaluation.comparison.lanes import Lanes, locked
from mmseg_css.evaluation.comparison.progress import Board
from mmseg_css.evaluation.comparison.results import summarise
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.source import Source
from mmseg_css.evaluation.comparison.tables import tables
from mmseg_css.files import write_text
from mmseg_css.locations import bases_from
from mmseg_css.preparation.leaves import leaf_text
from mmseg_css.preparation.splits.generate import write_list

EVIDENCE: Final = Path("configs/evidence")
SPLITS: Final = Path("configs/splits")
#: A supervised network has one space, so that `spaces` is none of them.
RULES: Final[tuple[Rule, ...]] = ("random", "views", "rare", "entropy", "diversity")


def write_config(data: str, labelled: Path) -> Path:
    """A supervised training with the images of a list, beside the list."""
    folder = labelled.parent
    shared = os.path.relpath((EVIDENCE / f"{data}.py").resolve(), folder.resolve())
    own = folder / f"{labelled.stem}_data.py"
    own.write_text(
        f'_base_ = "{shared}"\nlabeled = dict(ann_file="{labelled}")\nunlabeled = dict(exclude="{labelled}")\n'
    )
    config = folder / f"{labelled.stem}.py"
    config.write_text(leaf_text("supervised", own.name, bases_from(folder)))
    return config


def training(args: argparse.Namespace, draw: int, name: str, labelled: Path) -> Run:
    options = (f"train_cfg.max_iters={args.steps}", f"param_scheduler.0.end={args.steps}")
    return Run(
        name=name,
        source=Source(write_config(args.data, labelled), options),
        seed=draw,
        folder=args.work_dir / f"{name}_{draw}",
        record=args.records / f"{name}_{draw}",
        evaluations=4,
    )


def train(runs: Iterable[Run], args: argparse.Namespace) -> None:
    runs = list(runs)
    with Board(runs, args.jobs) as board:
        Lanes(args.jobs).train(runs, board.done, board.waiting)


def grown_list(first: Run, labelled: Path, rule: Rule, out: Path) -> Path:
    """The list of a draw, and as many images more by a rule."""
    grown = labelled.with_name(f"{labelled.stem}_{rule}.txt")
    if not grown.exists():
        own = labelled.read_text()
        weights = (first.folder / "last_checkpoint").read_text().strip()
        budget = len(own.splitlines())
        asked = Request(
            config=first.source.path,
            checkpoint=weights,
            budget=budget,
            out=out,
            by=rule,
            seed=first.seed,
            formats=(),
            overwrite=True,
        )
        suggest(asked)
        lines = own + (out / LIST).read_text()
        write_text(grown, lines)
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=sorted(path.stem for path in EVIDENCE.glob("*.py") if path.stem != "study"))
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1000, help="of each training")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--work-dir", type=Path)
    parser.add_argument("--records", type=Path, required=True)
    args = parser.parse_args()
    args.work_dir = args.work_dir or Path("work_dirs/suggested_labels") / args.data
    with locked(args.work_dir):
        compare(args)


def compare(args: argparse.Namespace) -> None:
    lists = [args.work_dir / "lists" / f"{draw}.txt" for draw in range(args.draws)]
    for labelled in lists:
        write_list(labelled, read_ids(SPLITS / args.data / "1-30.txt"))
    first = [training(args, draw, "first", labelled) for draw, labelled in enumerate(lists)]
    train(first, args)
    grown: dict[str, list[Run]] = {rule: [] for rule in RULES}
    for draw, labelled in enumerate(lists):
        for rule in RULES:
            more = grown_list(first[draw], labelled, rule, args.work_dir / "suggestions" / f"{rule}_{draw}")
            grown[rule].append(training(args, draw, rule, more))
    train((run for of_a_draw in zip(*grown.values(), strict=True) for run in of_a_draw), args)
    blocks = read_config(EVIDENCE / "study.py").blocks
    for folder, runs in (("results", grown), ("added", {"first": first} | grown)):
        results = summarise(runs, block=blocks.get(args.data, 1))
        write_results(results, args.records / folder)
        print(tables(results))


if __name__ == "__main__":
    main()
