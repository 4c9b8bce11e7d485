"""``mmseg-css diagnose``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mmseg_css.cli.options import CfgOptions, ConfigFile, Overwrite, TrustCheckpoint

Checkpoints = Annotated[
    list[str], Parameter(consume_multiple=True, help="One, or several of the same training; in any order.")
]
Out = Annotated[Path | None, Parameter(help="Where the report goes; work_dirs/NAME_OF_THE_CONFIG/diagnosis otherwise.")]
Masks = Annotated[
    str | None,
    Parameter(help="A folder with masks of the unlabelled training images, to look at these; else the test set is."),
]
Suffix = Annotated[str, Parameter(help="With --masks: what stands in mask names in place of the image's ending.")]
TrainingMode = Annotated[
    bool, Parameter(help="Let the teacher's norm layers take batch statistics, where they do in training.")
]
Block = Annotated[int, Parameter(help="Neighbouring images that intervals take together: frames of a video.")]
Radius = Annotated[int, Parameter(help="Pixels on either side of a boundary that are boundary.")]


def command(
    config: ConfigFile,
    checkpoints: Checkpoints,
    /,
    *,
    out: Out = None,
    masks: Masks = None,
    suffix: Suffix = ".png",
    training_mode: TrainingMode = False,
    block: Block = 1,
    radius: Radius = 3,
    overwrite: Overwrite = False,
    cfg_options: CfgOptions = None,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Say how right the pseudo-labels of a trained method are, where its spaces disagree, and what its indicator finds.

    Writes report.html, for people, and report.json, which it is made from. See docs/diagnosis.md.

    Args:
        config: The config it was trained with.
    """
    from mmseg_css.register import compat  # isort: skip
    from mmseg_css.deployment.diagnosis.request import Diagnosis, report

    if trust_checkpoint:
        compat.trust_checkpoints()
    asked = Diagnosis(
        config=config,
        checkpoints=checkpoints,
        out=out or Path("work_dirs") / config.stem / "diagnosis",
        masks=masks,
        suffix=suffix,
        training_mode=training_mode,
        block=block,
        radius=radius,
        overwrite=overwrite,
        cfg_options=cfg_options or (),
    )
    print(f"wrote {report(asked)}")
