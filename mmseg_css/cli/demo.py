"""``mmseg-css demo``."""

from pathlib import Path

from mmseg_css.cli.options import CfgOptions, Jobs, Seeds
from mmseg_css.extras import check_extra

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
    *, seeds: Seeds = None, work_dir: Path = Path("work_dirs/demo"), jobs: Jobs = 2, cfg_options: CfgOptions = None
) -> None:
    """Train supervised-only, CSS, Aided CSS and a network that knows all labels on generated images, equally long.

    Prints a table, and writes results.md, results.json and demo.png (curves and predictions) into the work dir.

    Args:
        work_dir: Where logs, checkpoints and results go.
    """
    check_extra("compare", "mmseg-css demo", "matplotlib", "scipy", "statsmodels")
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.estimate import print_duration
    from mmseg_css.evaluation.comparison import Question, compare
    from mmseg_css.evaluation.pictures import draw_summary
    from mmseg_css.locations import CONFIGS
    from mmseg_css.preparation.demo import generate
    from mmseg_css.preparation.weights import WEIGHTS, write_weights

    configs = {name: CONFIGS / file for name, file in TRAINED.items()}
    generate(DATA)
    if not WEIGHTS.exists():
        write_weights(WEIGHTS)
    question = Question(configs=configs, seeds=seeds or [0], ceiling="all_labels", options=cfg_options or ())
    runs = question.runs(work_dir)
    waiting = [run for own in runs.values() for run in own if run.finished() is None]
    print_duration([(run.config, run.steps_left) for run in waiting], jobs)
    results = compare(question, work_dir, jobs=jobs)
    networks = {name: (config, checkpoint_of(runs[name][0].folder)) for name, config in configs.items()}
    images = sorted((DATA / "images/val").iterdir())[:SHOWN]
    picture = work_dir / "demo.png"
    draw_summary(results, networks, images, [DATA / "labels/val" / image.name for image in images], picture)
    print(f"wrote {work_dir / 'results.json'} and {picture}")


def checkpoint_of(folder: Path) -> Path:
    """The last checkpoint of a finished training.

    Raises:
        FileNotFoundError: It is gone.
    """
    from mmseg_css.engine.checkpoints import latest_whole

    if (path := latest_whole(folder)[0]) is None:
        raise FileNotFoundError(
            f"{folder} has no checkpoint, which the picture needs: delete the folder, and start again"
        )
    return path
