"""``mmseg-css suggest``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mmseg_css.cli.options import CfgOptions, Checkpoint, ConfigFile, Overwrite, TrustCheckpoint

Budget = Annotated[int, Parameter(help="How many images to suggest.")]
Out = Annotated[
    Path,
    Parameter(
        help="The folder that is written: suggestions.csv and .json, suggested.txt, and a folder of each format; "
        "work_dirs/NAME_OF_THE_CONFIG/suggestions otherwise."
    ),
]
By = Annotated[
    Literal["rare", "views", "spaces", "entropy", "diversity", "random"],
    Parameter(
        help="rare: where the network expects classes with few labelled pixels; views: where it labels an image and "
        "its mirror image differently; spaces: where the two spaces of CSS disagree; entropy: where it is undecided; "
        "diversity: what looks unlike all labelled images; random."
    ),
]
Candidates = Annotated[
    int | None,
    Parameter(
        help="Of a rule with a score: suggestions are spread over so many times the budget of the highest scores; 4 "
        "otherwise, and 1 takes the highest."
    ),
]
Formats = Annotated[
    list[Literal["masks", "coco", "labelme"]] | None,
    Parameter(consume_multiple=True, help="What labels to correct are written as; all of them otherwise."),
]


def command(
    config: ConfigFile,
    checkpoint: Checkpoint,
    /,
    *,
    budget: Budget,
    out: Out | None = None,
    by: By = "views",
    candidates: Candidates = None,
    seed: Annotated[int, Parameter(help="Of --by random.")] = 0,
    formats: Formats = None,
    overwrite: Overwrite = False,
    cfg_options: CfgOptions = None,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Say which unlabelled images to label next, and write labels of them to correct. See docs/suggest.md.

    Args:
        config: The config that the checkpoint was trained with, which names the unlabelled images.
    """
    from mmseg_css.register import compat  # isort: skip
    from mmseg_css.deployment.suggestion.request import Request, suggest

    if trust_checkpoint:
        compat.trust_checkpoints()
    asked = Request(
        config=config,
        checkpoint=checkpoint,
        budget=budget,
        out=out or Path("work_dirs") / config.stem / "suggestions",
        by=by,
        candidates=candidates,
        seed=seed,
        formats=formats or ("masks", "coco", "labelme"),
        overwrite=overwrite,
        cfg_options=cfg_options or (),
    )
    suggest(asked)
