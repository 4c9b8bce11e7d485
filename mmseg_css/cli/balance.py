"""``mmseg-css balance``."""

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from mmseg_css.cli.options import CfgOptions, Checkpoint, ConfigFile, Overwrite, PredictOn, TrustCheckpoint, WorkDir
from mmseg_css.files import write_text

if TYPE_CHECKING:
    from mmseg_css.engine.testing import Evaluation

Strengths = Annotated[
    list[float] | None,
    Parameter(name="--strengths", consume_multiple=True, help="What is tried; 0 0.25 0.5 0.75 1 otherwise."),
]
Strength = Annotated[float | None, Parameter(help="How strongly the checkpoint in --out is balanced.")]
Out = Annotated[Path | None, Parameter(help="Write a checkpoint, and try nothing.")]
Json = Annotated[Path | None, Parameter(help="Also write what the strengths are worth into this file.")]


def command(
    config: ConfigFile,
    checkpoint: Checkpoint,
    /,
    *,
    strengths: Strengths = None,
    predict_on: PredictOn = None,
    json: Json = None,
    work_dir: WorkDir = None,
    strength: Strength = None,
    out: Out = None,
    overwrite: Overwrite = False,
    cfg_options: CfgOptions = None,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Let classes with few labelled pixels be predicted more often, without training. See docs/balance.md.

    Says what several strengths are worth on the test set of the config; --strength and --out write a checkpoint of one.

    Args:
        config: The config that the checkpoint was trained with, whose masks are counted.
    """
    from mmseg_css.register import compat  # isort: skip
    from mmseg_css.deployment.balancing import balance_checkpoint
    from mmseg_css.engine.testing import Evaluation

    if (strength is None) != (out is None):
        raise ValueError("--strength and --out go together: first see what strengths are worth, without both")
    if trust_checkpoint:
        compat.trust_checkpoints()
    if strength is None or out is None:
        asked = Evaluation(config=config, checkpoint=checkpoint, work_dir=work_dir, cfg_options=cfg_options or ())
        _try(asked, strengths, predict_on, json)
        return
    if strengths or predict_on or work_dir or json:
        raise ValueError(
            "--strengths, --predict-on, --json and --work-dir are of a trial; --out balances every network at once"
        )
    balance_checkpoint(config, checkpoint, strength, out, cfg_options=cfg_options or (), overwrite=overwrite)
    print(f"wrote {out}")


def _try(asked: "Evaluation", strengths: list[float] | None, predict_on: str | None, json: Path | None) -> None:
    """Say what strengths are worth."""
    from mmseg_css.deployment.balancing import strengths_table, worth_at
    from mmseg_css.evaluation.balance import STRENGTHS
    from mmseg_css.evaluation.comparison.machine import made_with

    worth = worth_at(asked, strengths or STRENGTHS, predict_on)
    print(strengths_table(worth))
    if json is not None:
        made = made_with(jobs=1)
        del made["side_by_side"]  # who started us knows
        write_text(json, dumps({"strengths": worth, "made_with": made}, indent=2) + "\n")
