"""Areas of classes in images, which `PerImageIoUMetric` writes, and what follows from them.

Letters: n images, k classes, 2 for (intersection, union).
"""

import numpy as np
from einops import rearrange
from jaxtyping import Float


def class_iou(areas: Float[np.ndarray, "*rest n k 2"]) -> Float[np.ndarray, "*rest k"]:
    """IoU of every class over all images, in percent; NaN for a class without areas.

    >>> class_iou(np.array([[[1.0, 2.0]], [[1.0, 2.0]]]))
    array([50.])
    """
    return iou_of(areas.sum(axis=-3))


def iou_of(totals: Float[np.ndarray, "*rest k 2"]) -> Float[np.ndarray, "*rest k"]:
    """IoU from areas, in percent; NaN where the union is empty."""
    intersection, union = totals[..., 0], totals[..., 1]
    return np.divide(100.0 * intersection, union, out=np.full(union.shape, np.nan), where=union > 0)


def rare_classes(path: str) -> list[int]:
    """The third of the classes, rounded up, with the fewest pixels in the truth, of areas that were written.

    Classes that no image shows do not count.
    """
    pixels = load_labels(path).sum(axis=0)
    shown = [int(index) for index in np.argsort(pixels, kind="stable") if pixels[index] > 0]
    return sorted(shown[: -(-len(shown) // 3)])


def load_areas(path: str) -> Float[np.ndarray, "n k 2"]:
    """Areas that `PerImageIoUMetric` wrote; those of a class that the truth does not show are 0.

    MMSegmentation counts such a class with an IoU of 0 as soon as one pixel is taken for it, and not before; in a
    comparison the methods would be averaged over different classes.
    """
    with np.load(path) as file:
        areas = rearrange(np.stack([file["intersection"], file["union"]]), "two n k -> n k two")
    areas[:, load_labels(path).sum(axis=0) == 0] = 0
    return areas


def load_labels(path: str) -> Float[np.ndarray, "n k"]:
    """Pixels of each class in the truth of each image, of areas that `PerImageIoUMetric` wrote.

    Raises:
        ValueError: They are not there.
    """
    with np.load(path) as file:
        if "label" not in file:
            raise ValueError(
                f"{path} lacks the array label, the pixels of each class in the masks, as an early version wrote it: "
                "delete the folder that it lies in, and it is trained again"
            )
        return np.asarray(file["label"])
