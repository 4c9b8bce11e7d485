"""Which loaders turn an image as its EXIF data say."""

import cv2
from mmcv.transforms import LoadImageFromFile


def turns(loader: LoadImageFromFile) -> bool:
    """Whether a loader turns images; one that reads in a way of its own is taken to.

    TIFF does not ask it: its decoder turns.
    """
    if type(loader).transform is not LoadImageFromFile.transform:
        return True
    if loader.imdecode_backend not in ("cv2", "pillow"):
        return False
    if isinstance(loader.color_type, str):
        return loader.color_type in ("color", "grayscale")
    return loader.color_type >= 0 and not loader.color_type & cv2.IMREAD_IGNORE_ORIENTATION
