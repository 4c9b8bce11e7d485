"""The network of a checkpoint, and the classes that it knows."""

import colorsys
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader, load_state_dict
from mmseg.apis import init_model
from mmseg.models.segmentors import BaseSegmentor

from mmseg_css.engine.checkpoints import check_fit, check_format, meta_of, weights_of
from mmseg_css.engine.downloads import without_downloads
from mmseg_css.engine.preprocessing import check_preprocessing, other_steps
from mmseg_css.typos import explained


class Classes(NamedTuple):
    """Names and colours (red first), in the order of the indices."""

    names: tuple[str, ...]
    palette: UInt8[np.ndarray, "k 3"]


def load_network(cfg: Config, checkpoint: str, device: str) -> tuple[BaseSegmentor, Classes]:
    """The model of a config with the weights of a checkpoint, and the classes that the checkpoint names.

    Raises:
        ValueError: The checkpoint is of another model, or damaged.
    """
    return network_of(cfg, CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu"), checkpoint, device)


def network_of(
    cfg: Config, saved: Mapping[str, Any], checkpoint: str, device: str = "cpu"
) -> tuple[BaseSegmentor, Classes]:
    """The same of a checkpoint that was read, and is called ``checkpoint``."""
    cfg.model.pop("compile_backbone", None)  # which would be compiled anew for every size of image
    without_downloads(cfg.model)
    with explained(cfg):
        model = init_model(cfg, device="cpu")
    check_format(saved, checkpoint)
    check_fit(model, saved, checkpoint)
    check_preprocessing(model.data_preprocessor, saved, checkpoint)
    if note := other_steps(cfg, saved, checkpoint):
        print_log(note, level=logging.WARNING)
    load_state_dict(model, weights_of(saved), strict=False)  # extra state that other versions wrote
    classes = classes_of(meta_of(saved), model.num_classes)
    model.dataset_meta = {"classes": classes.names, "palette": classes.palette.tolist()}
    return model.to(device), classes


def classes_of(meta: Mapping[str, Any], number: int) -> Classes:
    """What a checkpoint's meta says of its classes; numbers and colours of our own where it says nothing.

    Args:
        meta: As MMSeg 1.x (``dataset_meta``) or 0.x (``CLASSES``, ``PALETTE``) writes it.
        number: Classes of the network.
    """
    known = meta.get("dataset_meta") or {"classes": meta.get("CLASSES"), "palette": meta.get("PALETTE")}
    names, palette = known.get("classes"), known.get("palette")
    if not names or len(names) != number:
        names = [f"class_{index}" for index in range(number)]
    if palette is None or len(palette) != number:
        # Neighbours in the order lie far apart on the circle of colours.
        hues = [index * 0.618 % 1.0 for index in range(number)]
        palette = [[round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.8, 0.9)] for hue in hues]
    return Classes(tuple(names), np.array(palette, np.uint8).reshape(number, 3))
