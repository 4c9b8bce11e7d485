"""``mmseg-css train``."""

import os

from mmseg_css.cli.options import CfgOptions, ConfigFile, Launcher, LocalRank, TrustCheckpoint, WorkDir


def command(
    config: ConfigFile,
    /,
    *,
    work_dir: WorkDir = None,
    resume: str | None = None,
    amp: bool = False,
    cfg_options: CfgOptions = None,
    launcher: Launcher = "none",
    local_rank: LocalRank = 0,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Train the model of a config. The work dir receives the log, the config in full and the checkpoints.

    Args:
        config: The config file.
        resume: Continue from this checkpoint; without a path, or with "auto", from the last whole one in the work dir.
        amp: Mixed precision: as MMEngine on a GPU, bfloat16 on a CPU.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.training import load_cfg, train

    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    cfg, notes = load_cfg(
        config, work_dir=work_dir, resume=resume, amp=amp, cfg_options=cfg_options or (), launcher=launcher
    )
    train(cfg, notes, trust_checkpoint=trust_checkpoint)
