"""``mmseg-css test``."""

import os
from pathlib import Path
from typing import Literal

from cyclopts.types import ExistingFile

from mmseg_css.cli.options import CfgOptions, Launcher, LocalRank, TrustCheckpoint, WorkDir


def command(
    config: ExistingFile,
    checkpoint: str,
    /,
    *,
    work_dir: WorkDir = None,
    out: Path | None = None,
    show_dir: Path | None = None,
    predict_on: Literal["teacher", "student", "both"] | None = None,
    evaluation: ExistingFile | None = None,
    tta: bool = False,
    cfg_options: CfgOptions = None,
    launcher: Launcher = "none",
    local_rank: LocalRank = 0,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Evaluate a checkpoint on the test set of a config. docs/evaluation.md has the protocols.

    Args:
        config: The config file.
        checkpoint: The checkpoint: a file or a URL.
        out: A folder for the predicted label maps.
        show_dir: A folder for pictures of the predictions.
        predict_on: Which network of a semi-supervised model predicts; as the config says otherwise, else the teacher.
            "both" evaluates one after the other and prints the two side by side.
        evaluation: Another protocol than the config's, e.g. configs/_base_/evaluation/slide_801.py.
        tta: Test-time augmentation: tta_model and tta_pipeline of the config, else those of multi_scale_flip.py.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.testing import Evaluation, test

    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    asked = Evaluation(config, checkpoint, work_dir, out, show_dir, evaluation, tta, cfg_options or (), launcher)
    test(asked, predict_on, trust_checkpoint=trust_checkpoint)
