"""From the official archives of a data set, unpacked, to what the configs expect: ``mmseg-css data``.

Recipes are plain data: only :mod:`.checking` and :mod:`.prepare` need MMSeg.
"""

from typing import Final

from mmseg_css.preparation.benchmarks import ade20k, camvid, cityscapes, coco, voc
from mmseg_css.preparation.benchmarks.recipe import Recipe

RECIPES: Final[dict[str, Recipe]] = {
    "voc": voc.RECIPE,
    "cityscapes": cityscapes.RECIPE,
    "coco": coco.RECIPE,
    "ade20k": ade20k.RECIPE,
    "camvid": camvid.RECIPE,
}

__all__ = ["RECIPES", "Recipe"]
