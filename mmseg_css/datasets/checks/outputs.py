"""Files that are named after images."""

import os.path as osp
from typing import Any

from mmseg_css.datasets.checks.paths import infos_of, leaves


def check_output_names(dataset: Any, folder: str) -> None:
    """Check that the predictions of no two images get one name: MMSeg's metrics name them after the image's file alone.

    Args:
        dataset: The images that are predicted.
        folder: Where the predictions are written.

    Raises:
        ValueError: Two images in different folders are called alike.
    """
    first: dict[str, str] = {}
    for leaf in leaves(dataset):
        for info in infos_of(leaf):
            path = info.get("img_path", "")
            name = osp.splitext(osp.basename(path))[0]
            if (other := first.setdefault(name, path)) != path:
                raise ValueError(
                    f"the predictions of {other!r} and {path!r} would both be written to "
                    f"{osp.join(folder, name)}.png: evaluate one folder of images after the other, each with an --out "
                    "of its own (--cfg-options test_dataloader.dataset.data_prefix.img_path=...), or rename the images"
                )
