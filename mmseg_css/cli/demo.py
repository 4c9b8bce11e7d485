"""``mmseg-css demo``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmseg_css.cli.options import CfgOptions, Jobs, Seeds
from mmseg_css.extras import check_extra

if TYPE_CHECKING:
    from mmengine.config import Config

DATA = Path("data/demo")
SHOWN = 5
#: What is trained, by the name of its config.
TRAINED = {
    "supervised": "css/supervised_lite0_demo.py",
    "css": "css/css_lite0_demo.py",
    "aided_css": "aided_css/aided_css_lite0_demo.py",
    "all_labels": "ceiling/ceiling_lite0_demo.py",
}


def command(
    *,
    seeds: Seeds = None,
    work_dir: Path = Path("work_dirs/demo"),
    records: Path | None = None,
    jobs: Jobs = 2,
    cfg_options: CfgOptions = None,
) -> None:
    """Train supervised-only, CSS, Aided CSS and a network that knows all labels on generated images, equally long.

    Prints a table, and writes results.md, results.json and demo.png (curves and predictions) into the work dir.

    Args:
        work_dir: Where logs, checkpoints and results go.
        records: Where results and what the trainings gave go instead. What stands there is not trained again.
    """
    check_extra("compare", "mmseg-css demo", "matplotlib", "scipy", "statsmodels")
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.estimate import print_duration
    from mmseg_css.evaluation.comparison import Question, compare
    from mmseg_css.locations import CONFIGS

    configs = {name: CONFIGS / file for name, file in TRAINED.items()}
    question = Question(configs=configs, seeds=seeds or [0], ceiling="all_labels", options=cfg_options or ())
    runs = question.runs(work_dir, records)
    if waiting := [run for own in runs.values() for run in own if run.finished() is None]:
        prepare()
        print_duration([(run.source.path, run.steps_left) for run in waiting], jobs, question.options)
    results = compare(question, work_dir, records=records, jobs=jobs)
    written = (records or work_dir) / "results.json"
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
    from mmseg_css.preparation.demo import generate
    from mmseg_css.preparation.weights import place_of, write_weights

    generate(DATA)
    weights = place_of("efficientnet-lite0")
    if not weights.exists():
        write_weights("efficientnet-lite0", weights)


def draw(results: Mapping[str, Any], networks: "Mapping[str, tuple[Config, Path]]", picture: Path) -> None:
    """Curves, and predictions for the first validation images."""
    from mmseg_css.evaluation.pictures import draw_summary
    from mmseg_css.preparation.demo import generate

    generate(DATA)
    images = sorted((DATA / "images/val").iterdir())[:SHOWN]
    draw_summary(results, networks, images, [DATA / "labels/val" / image.name for image in images], picture)
