"""From the official archives of a data set, unpacked, to what the configs expect: ``tools/prepare_data.py``."""

from typing import Final

from mmseg_css.preparation.benchmarks import ade20k, camvid, cityscapes, coco, voc
from mmseg_css.preparation.benchmarks.checking import Finding, check
from mmseg_css.preparation.benchmarks.files import write_files
from mmseg_css.preparation.benchmarks.recipe import Recipe

RECIPES: Final[dict[str, Recipe]] = {
    "voc": voc.RECIPE,
    "cityscapes": cityscapes.RECIPE,
    "coco": coco.RECIPE,
    "ade20k": ade20k.RECIPE,
    "camvid": camvid.RECIPE,
}

__all__ = ["RECIPES", "Finding", "Recipe", "check", "write_files"]
