"""``mmseg-css compare``."""

from pathlib import Path

from mmseg_css.cli.options import CfgOptions, Seeds


def named_config(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or not Path(path).is_file():
        raise ValueError(f"expected NAME=CONFIG with an existing config file, got {text!r}")
    return name, Path(path)


def command(*configs: str, work_dir: Path, seeds: Seeds = None, block: int = 1, cfg_options: CfgOptions = None) -> None:
    """Train several configs with the same seeds, evaluate the last checkpoint of each, and compare them pairwise.

    Runs that are finished are not repeated. Writes results.json into the work dir.

    Args:
        configs: NAME=CONFIG ...; the first one named is the baseline.
        work_dir: Where logs, checkpoints and results go.
        block: Neighbouring images that the test swaps together (frames of a video: 10).
    """
    if not configs:
        raise ValueError("nothing to compare: name configs as NAME=CONFIG, the baseline first")
    named = dict(map(named_config, configs))
    import mmseg_css.register  # noqa: F401
    from mmseg_css.evaluation.comparison import compare
    from mmseg_css.evaluation.tables import print_table

    print_table(compare(named, work_dir, seeds or [0], cfg_options or (), block))
