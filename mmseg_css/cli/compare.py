"""``mmseg-css compare``."""

from collections.abc import Sequence
from pathlib import Path

from mmseg_css.cli.options import Balance, CfgOptions, Jobs, Seeds
from mmseg_css.extras import check_extra
from mmseg_css.locations import find_config


def named_config(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or not (config := find_config(path)).is_file():
        raise ValueError(f"expected NAME=CONFIG with an existing config file, got {text!r}")
    return name, config


def named_configs(texts: Sequence[str]) -> dict[str, Path]:
    """Config files by name, in their order.

    Raises:
        ValueError: One does not exist, two have one name, or there is none.
    """
    if not texts:
        raise ValueError("nothing to compare: name configs as NAME=CONFIG, the baseline first")
    pairs = list(map(named_config, texts))
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"two configs have one name: {', '.join(name for name, _ in pairs)}")
    return dict(pairs)


def command(
    *configs: str,
    work_dir: Path,
    records: Path | None = None,
    seeds: Seeds = None,
    ceiling: str | None = None,
    jobs: Jobs = 1,
    evaluations: int = 8,
    block: int = 1,
    balance: Balance = False,
    cfg_options: CfgOptions = None,
) -> None:
    """Train several configs with the same seeds, and say what their difference is worth.

    Gains over the first config, with intervals and p-values over seeds and over images, shares of the headroom,
    learning curves. Writes results.md, results.json and curves.png into the work dir. What is finished is not trained
    again, and what was stopped goes on. See docs/comparing.md.

    Args:
        configs: NAME=CONFIG ...; the first one named is the baseline.
        work_dir: Where logs, checkpoints and results go.
        records: Where results and what the trainings gave go instead, in some kilobytes each: a folder to keep. What
            stands there is not trained again, on another machine neither.
        ceiling: The name of the config with all labels: gains are then also given as shares of what it gains.
        evaluations: How often each training is evaluated, as far as that divides its iterations.
        block: Neighbouring images that the test over images swaps together (frames of a video: 10).
    """
    named = named_configs(configs)
    check_extra("compare", "mmseg-css compare", "matplotlib", "scipy", "statsmodels")
    import mmseg_css.register  # noqa: F401
    from mmseg_css.evaluation.comparison import Question, compare

    options, seeds = cfg_options or (), seeds or [0]
    question = Question(
        configs=named, seeds=seeds, ceiling=ceiling, block=block, evaluations=evaluations, options=options
    )
    compare(question, work_dir, records=records, jobs=jobs, balance=balance)
