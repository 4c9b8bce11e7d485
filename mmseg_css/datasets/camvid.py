"""CamVid: street scenes, frames of driving videos."""

from collections.abc import Sequence
from typing import Final

from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks import check_paths
from mmseg_css.registry import DATASETS

UNLABELED: Final = 11
IGNORED: Final = 255


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """CamVid (Brostow, Fauqueur, Cipolla 2009) in the arrangement of the SegNet tutorial: 11 classes, 11 = unlabelled.

    The value 11 becomes 255 when a mask is loaded, so losses and metrics keep their usual ``ignore_index``.

    Frames are neighbours in videos, far less diverse than their number says: the 367 for training come from three
    videos, mostly 30 frames apart; the 101 for validation are every second frame of one stretch of one of these videos,
    between two training frames.
    """

    METAINFO = {
        "classes": (
            "sky",
            "building",
            "pole",
            "road",
            "pavement",
            "tree",
            "sign",
            "fence",
            "car",
            "pedestrian",
            "bicyclist",
        ),
        "palette": [
            [128, 128, 128],
            [128, 0, 0],
            [192, 192, 128],
            [128, 64, 128],
            [60, 40, 222],
            [128, 128, 0],
            [192, 128, 128],
            [64, 64, 128],
            [64, 0, 128],
            [64, 64, 0],
            [0, 128, 192],
        ],
    }
    REMEDY = (
        "set data_root to a folder with images/{train,val}/*.jpg and labels/{train,val}/*.png "
        "(class indices 0..10, 11 = unlabelled)"
    )

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int]:
        """MMSeg's map for a choice of classes (none by default), and ``UNLABELED`` to ignored in any case."""
        return {**(super().get_label_map(new_classes) or {}), UNLABELED: IGNORED}

    def load_data_list(self) -> list[dict]:
        check_paths(data_prefix=self.data_prefix, lists=[self.ann_file], remedy=self.REMEDY)
        return super().load_data_list()
