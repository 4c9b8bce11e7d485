"""``mmseg-css demo``."""

from pathlib import Path

from mmseg_css.cli.options import CfgOptions, Jobs, Seeds
from mmseg_css.extras import check_extra


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
    from mmseg_css.engine.demo import run_demo

    run_demo(seeds or [0], work_dir, records, jobs, cfg_options or ())
