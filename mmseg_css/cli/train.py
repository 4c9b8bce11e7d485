"""``mmseg-css train``."""

import os

from cyclopts.types import ExistingFile

from mmseg_css.cli.options import CfgOptions, Launcher, LocalRank


def command(
    config: ExistingFile,
    /,
    *,
    work_dir: str | None = None,
    resume: str | None = None,
    amp: bool = False,
    cfg_options: CfgOptions = None,
    launcher: Launcher = "none",
    local_rank: LocalRank = 0,
    trust_checkpoint: bool = False,
) -> None:
    """Train the model of a config. The work dir receives the log, the config in full and the checkpoints.

    Args:
        config: The config file.
        work_dir: Where logs and checkpoints go; work_dirs/NAME_OF_THE_CONFIG otherwise.
        resume: Continue from this checkpoint; without a path, or with "auto", from the last whole one in the work dir.
        amp: Mixed precision: as MMEngine on a GPU, bfloat16 on a CPU.
        cfg_options: KEY=VALUE ...: settings of the config, e.g. train_cfg.max_iters=100.
        launcher: How several processes were started.
        trust_checkpoint: Load checkpoints even if they can run code.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.training import load_cfg, train

    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    cfg, notes = load_cfg(
        config, work_dir=work_dir, resume=resume, amp=amp, cfg_options=cfg_options or (), launcher=launcher
    )
    train(cfg, notes, trust_checkpoint=trust_checkpoint)
