"""``mmseg-css demo``."""

from pathlib import Path

from mmseg_css.cli.options import CfgOptions, Seeds

DATA = Path("data/demo")
SHOWN = 5


def command(
    *, seeds: Seeds = None, work_dir: Path = Path("work_dirs/demo"), jobs: int = 2, cfg_options: CfgOptions = None
) -> None:
    """Train supervised-only and CSS on the generated data set, with the same labelled images and the same steps.

    Prints a table, and writes results.md, results.json, curves.png and predictions.png into the work dir.

    Args:
        work_dir: Where logs, checkpoints and results go.
        jobs: Trainings side by side; with more than one, each has one thread.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.evaluation.comparison import Question, compare
    from mmseg_css.evaluation.pictures import draw_predictions
    from mmseg_css.locations import CONFIGS
    from mmseg_css.preparation.demo import generate
    from mmseg_css.preparation.weights import WEIGHTS, write_weights

    seeds = seeds or [0]
    configs = {name: CONFIGS / "css" / f"{name}_lite0_demo.py" for name in ("supervised", "css")}
    if not (DATA / "settings.json").exists():
        generate(DATA)
    if not WEIGHTS.exists():
        write_weights(WEIGHTS)
    compare(Question(configs=configs, seeds=seeds, options=cfg_options or ()), work_dir, jobs=jobs)
    runs = {name: work_dir / f"{name}_seed{seeds[0]}" for name in configs}
    networks = {name: (config, next(runs[name].glob("iter_*.pth"))) for name, config in configs.items()}
    images = sorted((DATA / "images/val").iterdir())[:SHOWN]
    picture = work_dir / "predictions.png"
    draw_predictions(networks, images, [DATA / "labels/val" / image.name for image in images], picture)
    print(f"wrote {work_dir / 'results.json'} and {picture}")
