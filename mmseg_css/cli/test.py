"""``mmseg-css test``."""

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mmseg_css.cli.options import (
    CfgOptions,
    Checkpoint,
    ConfigFile,
    Launcher,
    LocalRank,
    TrustCheckpoint,
    WorkDir,
    config_named,
    is_file,
)

Out = Annotated[Path | None, Parameter(help="A folder for the predicted label maps.")]
Show = Annotated[bool, Parameter(help="Show the predictions in a window.")]
ShowDir = Annotated[Path | None, Parameter(help="A folder for pictures of the predictions, in vis_data/vis_image.")]
WaitTime = Annotated[float, Parameter(help="How many seconds each is shown.")]
PredictOn = Annotated[
    Literal["teacher", "student", "both"] | None,
    Parameter(
        help="Which network of a semi-supervised model predicts; as the config says otherwise, else the teacher. "
        '"both" evaluates one after the other and prints the two side by side.'
    ),
]
Protocol = Annotated[
    Path | None,
    Parameter(
        converter=config_named,
        validator=is_file,
        help="Another protocol than the config's, e.g. configs/_base_/evaluation/slide_801.py "
        "(mmseg_css::_base_/evaluation/slide_801.py without a clone).",
    ),
]
Tta = Annotated[
    bool,
    Parameter(
        help="Test-time augmentation: tta_model and tta_pipeline of the config, else those of multi_scale_flip.py."
    ),
]


def command(
    config: ConfigFile,
    checkpoint: Checkpoint,
    /,
    *,
    work_dir: WorkDir = None,
    out: Out = None,
    show: Show = False,
    show_dir: ShowDir = None,
    wait_time: WaitTime = 2.0,
    predict_on: PredictOn = None,
    evaluation: Protocol = None,
    tta: Tta = False,
    cfg_options: CfgOptions = None,
    launcher: Launcher = "none",
    local_rank: LocalRank = 0,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Evaluate a checkpoint on the test set of a config. docs/evaluation.md has the protocols.

    Args:
        config: The config file.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.testing import Evaluation, test

    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    asked = Evaluation(
        config=config,
        checkpoint=checkpoint,
        work_dir=work_dir,
        out=out,
        show=wait_time if show else None,
        show_dir=show_dir,
        protocol=evaluation,
        tta=tta,
        cfg_options=cfg_options or (),
        launcher=launcher,
    )
    test(asked, predict_on, trust_checkpoint=trust_checkpoint)
