"""A call of ``mmseg-css predict``: from what the command line says to files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmseg_css.cfg_options import parse_options
from mmseg_css.datasets.pictures import UNREAD
from mmseg_css.deployment.prediction.folder import check_all_read, predict_all
from mmseg_css.deployment.prediction.inputs import find_inputs
from mmseg_css.deployment.prediction.outputs import Outputs, fingerprint
from mmseg_css.deployment.prediction.predictor import Predictor
from mmseg_css.deployment.prediction.windows import Mode


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for; see `Predictor`, `find_inputs`, `Outputs` and `predict_all`."""

    config: Path
    checkpoint: str
    inputs: Sequence[Path]
    out: Path
    batch_size: int
    mode: Mode
    tta: bool
    probabilities: bool
    predict_on: Literal["teacher", "student"] | None
    overwrite: bool
    cfg_options: Sequence[str]


def predict_files(asked: Request) -> None:
    """Predict what is asked for, and say what was done.

    Raises:
        FileNotFoundError: The config, the checkpoint or an input is not there.
        FileExistsError: The output holds predictions of something else.
        ValueError: Something does not fit, or some files could not be read and all others are done.
    """
    found = find_inputs(asked.inputs, asked.out)
    for unread, remedy in ((True, "pictures of kinds that are not read: convert them"), (False, "videos: name them")):
        if paths := [path for path in found.passed_over if (path.suffix.lower() in UNREAD) is unread]:
            print(f"note: {len(paths)} passed over, {paths[0]} for one; to predict {remedy}")
    settings: dict[str, Any] = {
        "mode": asked.mode,
        "tta": asked.tta,
        "predict_on": asked.predict_on,
        "cfg_options": parse_options(asked.cfg_options),
    }
    predictor = Predictor(asked.config, asked.checkpoint, **settings)
    outputs = Outputs(
        asked.out,
        inputs=found,
        classes=predictor.classes,
        made_by={
            "config": str(asked.config.resolve()),
            "config_sha256": predictor.config_sha256,
            "checkpoint": fingerprint(asked.checkpoint),
            **settings,
        },
        probabilities=asked.probabilities,
        overwrite=asked.overwrite,
    )
    summary = predict_all(predictor, found, outputs, batch_size=asked.batch_size)
    for note in summary.notes:
        print(f"note: {note}")
    print(f"{summary}; written to {asked.out}: {', '.join(outputs.kinds)}")
    check_all_read(summary)
