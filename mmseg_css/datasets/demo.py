"""The generated data set: its classes, and how MMSeg reads it. `mmseg_css.preparation.demo` draws it."""

from typing import Any, Final

from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks import check_paths
from mmseg_css.registry import DATASETS

CLASSES: Final = ("background", "striped", "checkered", "dotted", "ringed")
PALETTE: Final = [
    [38, 44, 58],
    [239, 71, 111],
    [255, 209, 102],
    [6, 214, 160],
    [132, 220, 255],
]


@DATASETS.register_module()
class DemoDataset(BaseSegDataset):
    """What `mmseg_css.preparation.demo.generate` writes: PNG images, PNG masks of class indices, nothing ignored."""

    METAINFO = {"classes": CLASSES, "palette": PALETTE}
    REMEDY = "generate it: mmseg-css data demo data/demo, or where the config looks for it"

    def __init__(self, *, img_suffix: str = ".png", seg_map_suffix: str = ".png", **kwargs: Any) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def load_data_list(self) -> list[dict]:
        check_paths(data_prefix=self.data_prefix, lists=[self.ann_file], remedy=self.REMEDY)
        return super().load_data_list()
