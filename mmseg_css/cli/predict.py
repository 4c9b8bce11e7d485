"""``mmseg-css predict``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.types import ExistingPath

from mmseg_css.cli.options import CfgOptions, Checkpoint, ConfigFile, Overwrite, PredictOn, TrustCheckpoint

Inputs = Annotated[
    list[ExistingPath],
    Parameter(
        name="INPUT",
        help="Folders (with their subfolders), images, videos, or text files (.txt) with a path on each line.",
    ),
]
Out = Annotated[
    Path,
    Parameter(
        help="The folder that is written: masks/, overlays/ and predictions.json, which names the classes. Files that "
        "are there are left alone, so that an interrupted call goes on."
    ),
]
BatchSize = Annotated[int, Parameter(help="How many images go through the network at once, if they are of one size.")]
Mode = Annotated[
    Literal["auto", "whole", "slide"],
    Parameter(
        help="Images as a whole, or in windows of the training crop that slide over them. auto: as the config says, "
        "and in windows if an image is more than twice as high or wide as the crop."
    ),
]
Tta = Annotated[
    bool, Parameter(help="Test-time augmentation: tta_pipeline of the config, else six scales, mirrored and not.")
]
Probabilities = Annotated[bool, Parameter(help="Write probabilities/, too: of every class and pixel, in 16 bits.")]


def command(
    config: ConfigFile,
    checkpoint: Checkpoint,
    inputs: Inputs,
    /,
    *,
    out: Out,
    batch_size: BatchSize = 1,
    mode: Mode = "auto",
    tta: Tta = False,
    probabilities: Probabilities = False,
    predict_on: PredictOn = None,
    overwrite: Overwrite = False,
    cfg_options: CfgOptions = None,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Predict images without masks. Classes and colours are those of the checkpoint.

    Args:
        config: The config that the checkpoint was trained with.
    """
    from mmseg_css.register import compat  # isort: skip
    from mmseg_css.deployment.prediction.request import Request, predict_files

    if trust_checkpoint:
        compat.trust_checkpoints()
    asked = Request(
        config=config,
        checkpoint=checkpoint,
        inputs=inputs,
        out=out,
        batch_size=batch_size,
        mode=mode,
        tta=tta,
        probabilities=probabilities,
        predict_on=predict_on,
        overwrite=overwrite,
        cfg_options=cfg_options or (),
    )
    predict_files(asked)
