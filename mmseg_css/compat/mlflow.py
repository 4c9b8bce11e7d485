"""Pictures in MLflow."""

from pathlib import Path
from typing import Any

from mmengine.registry import VISBACKENDS
from mmengine.visualization.vis_backend import MLflowVisBackend as MMEnginesBackend
from numpy import ndarray


@VISBACKENDS.register_module(force=True)
class MLflowVisBackend(MMEnginesBackend):
    """MMEngine's, with a file name for every picture.

    Why: it takes a picture's name for that of a file, and MLflow fails where that has no suffix, as with
    ``pseudo_labels`` of `DiagnosticsHook`; one with a suffix would replace the picture of the step before.
    """

    def add_image(self, name: str, image: ndarray, step: int = 0, **kwargs: Any) -> None:
        path = Path(name)
        super().add_image(f"{path.stem}_{step}{path.suffix or '.png'}", image, step, **kwargs)
