"""``mmseg-css balance``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mmseg_css.cli.options import CfgOptions, Checkpoint, ConfigFile, Overwrite, TrustCheckpoint, WorkDir

Strengths = Annotated[
    list[float],
    Parameter(name="--strengths", consume_multiple=True, help="What is tried."),
]
Strength = Annotated[float | None, Parameter(help="With --out: of the checkpoint that is written.")]
Out = Annotated[Path | None, Parameter(help="The checkpoint that is written; nothing is tried then.")]
PredictOn = Annotated[
    Literal["teacher", "student"] | None,
    Parameter(
        help="Which network of a method with a teacher is tried; as the config says otherwise, else the teacher."
    ),
]


def command(
    config: ConfigFile,
    checkpoint: Checkpoint,
    /,
    *,
    strengths: Strengths = [0.0, 0.25, 0.5, 0.75, 1.0],  # noqa: B006  (shown in the help, and never changed)
    strength: Strength = None,
    out: Out = None,
    predict_on: PredictOn = None,
    work_dir: WorkDir = None,
    overwrite: Overwrite = False,
    cfg_options: CfgOptions = None,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Let classes with few labelled pixels be predicted more often, without training. See docs/balance.md.

    Says what the network is worth on the test set of the config at several strengths; with --strength and --out, writes
    a checkpoint that test, predict and export take as any other.

    Args:
        config: The config that the checkpoint was trained with, whose masks are counted.
    """
    from mmseg_css.register import compat  # isort: skip
    from mmseg_css.deployment.balancing import balance_checkpoint, strengths_table
    from mmseg_css.engine.testing import Evaluation

    if (strength is None) != (out is None):
        raise ValueError("--strength and --out go together: first see what strengths are worth, without both")
    if trust_checkpoint:
        compat.trust_checkpoints()
    if strength is not None and out is not None:
        balance_checkpoint(config, checkpoint, strength, out, overwrite=overwrite)
        print(f"wrote {out}")
        return
    asked = Evaluation(config=config, checkpoint=checkpoint, work_dir=work_dir, cfg_options=cfg_options or ())
    print(strengths_table(asked, strengths, predict_on))
