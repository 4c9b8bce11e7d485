"""A call of ``mmseg-css demo``: methods compared on generated images, and what they predict drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mmengine.config import Config

from mmseg_css.engine.estimate import print_duration
from mmseg_css.evaluation.comparison import Question, compare
from mmseg_css.evaluation.comparison.compare import RESULTS
from mmseg_css.evaluation.pictures import draw_summary
from mmseg_css.locations import CONFIGS
from mmseg_css.preparation.demo import generate
from mmseg_css.preparation.weights import place_of, write_weights

DATA: Final = Path("data/demo")
SHOWN: Final = 5
#: What is trained, by the name of its config.
TRAINED: Final = {
    "supervised": "css/supervised_lite0_demo.py",
    "css": "css/css_lite0_demo.py",
    "aided_css": "aided_css/aided_css_lite0_demo.py",
    "all_labels": "ceiling/ceiling_lite0_demo.py",
}


def run_demo(seeds: Sequence[int], work_dir: Path, records: Path | None, jobs: int, options: Sequence[str]) -> None:
    """Train what is not finished, and write the comparison and, where all networks are here, ``demo.png``.

    Args:
        seeds: Of the trainings of each method; the networks of the first are drawn.
        work_dir: Where logs, checkpoints and results go.
        records: Where results and what the trainings gave go instead.
        jobs: Trainings side by side.
        options: ``KEY=VALUE``, settings of all configs.
    """
    configs = {name: CONFIGS / file for name, file in TRAINED.items()}
    question = Question(configs=configs, seeds=seeds, ceiling="all_labels", options=options)
    runs = question.runs(work_dir, records)
    if waiting := [run for own in runs.values() for run in own if run.finished() is None]:
        prepare()
        print_duration([(run.source.path, run.steps_left) for run in waiting], jobs, options)
    results = compare(question, work_dir, records=records, jobs=jobs)
    written = (records or work_dir) / RESULTS[0]
    firsts = {name: own[0] for name, own in runs.items()}
    networks = {name: (run.source.trained, path) for name, run in firsts.items() if (path := run.last_checkpoint())}
    if absent := [name for name in configs if name not in networks]:
        print(
            f"wrote {written}, but no demo.png: {work_dir} lacks weights of {', '.join(absent)} after the last "
            "iteration, with the settings of the table"
        )
    else:
        draw(results, networks, written.with_name("demo.png"))
        print(f"wrote {written} and {written.with_name('demo.png')}")


def prepare() -> None:
    """Images, and the weights that the networks start from."""
    generate(DATA)
    weights = place_of("efficientnet-lite0")
    if not weights.exists():
        write_weights("efficientnet-lite0", weights)


def draw(results: Mapping[str, Any], networks: Mapping[str, tuple[Config, Path]], picture: Path) -> None:
    """Curves, and predictions for the first validation images."""
    generate(DATA)
    images = sorted((DATA / "images/val").iterdir())[:SHOWN]
    draw_summary(results, networks, images, [DATA / "labels/val" / image.name for image in images], picture)
