"""COCO 2017 with one mask per image, made from the instance annotations: 80 things and background."""

import numpy as np
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks import check_paths
from mmseg_css.registry import DATASETS

THINGS = """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag,
tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard,
tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot,
hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard,
cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier,
toothbrush"""


def spread_palette(length: int) -> list[list[int]]:
    """VOC's rule for colours: the bits of the class's number, dealt in turn to red, green and blue, highest first."""
    numbers = np.arange(length)
    colours = np.zeros((length, 3), dtype=np.int64)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * bit + channel)) & 1) << (7 - bit)
    return colours.tolist()


@DATASETS.register_module()
class COCOObjectDataset(BaseSegDataset):
    """The 81 classes that semi-supervised methods report on COCO: 0 = background, 1 to 80 = the things in the order of
    their category ids. Value 255 is ignored.
    """

    METAINFO = {
        "classes": ("background", *THINGS.replace("\n", " ").split(", ")),
        "palette": spread_palette(81),
    }
    REMEDY = (
        "set data_prefix to a folder of *.jpg images and one of *.png masks with the same names (0 = background, "
        "1 to 80 = things)"
    )

    def load_data_list(self) -> list[dict]:
        check_paths(data_prefix=self.data_prefix, lists=[self.ann_file], remedy=self.REMEDY)
        return super().load_data_list()
