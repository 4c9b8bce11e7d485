"""From an image to what the network is given: the test pipeline of a config, without masks."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt, UInt8
from mmcv.transforms import LoadAnnotations, LoadImageFromFile, TestTimeAug
from mmengine.config import Config, ConfigDict
from mmseg.datasets.transforms import LoadImageFromNDArray
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_css.datasets.checks.depth import drops_bits
from mmseg_css.datasets.transforms import Cached
from mmseg_css.engine.preprocessing import pipeline_of
from mmseg_css.engine.testing import tta_of
from mmseg_css.registry import TRANSFORMS


class Prepared(NamedTuple):
    """An image, ready for the network.

    Attributes:
        views: What the network is given, ``(c, h, w)``, with MMSeg's notes on it; several with test-time augmentation.
        picture: The image as a viewer shows it, blue first.
    """

    views: list[tuple[Tensor, SegDataSample]]
    picture: UInt8[np.ndarray, "h w 3"]


def steps_of(cfg: Config, classes: Sequence[str] = (), *, tta: bool) -> list[ConfigDict]:
    """How a config's test set is read, without its masks.

    Args:
        cfg: The config.
        classes: Those of the network; an augmentation mirrors no image where they speak of left and right.
        tta: Whether to augment.

    Raises:
        ValueError: The config does not say how, or how augmentations become one prediction is not ours to know.
    """
    steps = pipeline_of(cfg)
    if not steps:
        raise ValueError(
            f"{cfg.filename} has neither test_dataloader.dataset.pipeline nor test_pipeline, so that nothing says how "
            "images are read: write test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')] "
            "with what the training does to every image between the two"
        )
    if tta:
        steps, model = tta_of(cfg, steps, classes)
        if model.type != "SegTTAModel":
            raise ValueError(
                f"--tta averages probabilities, as SegTTAModel does, and {cfg.filename} has tta_model.type = "
                f"{model.type!r}: leave --tta out, or set it to 'SegTTAModel'"
            )
    return _without_masks(steps)


def _without_masks(steps: Iterable[ConfigDict]) -> list[ConfigDict]:
    kept: list[ConfigDict] = []
    for step in steps:
        kind = _kind(step)
        if issubclass(kind, LoadAnnotations):
            continue
        if issubclass(kind, Cached):  # an image is predicted once
            kept += _without_masks(step.transforms)
        elif issubclass(kind, TestTimeAug):
            branches = [_without_masks(branch) for branch in step.transforms]
            kept.append(ConfigDict({**step, "transforms": [branch for branch in branches if branch]}))
        else:
            kept.append(ConfigDict(step))
    return kept


def _kind(step: ConfigDict) -> type:
    return TRANSFORMS.get(step.type) if isinstance(step.type, str) else step.type


def built(steps: Iterable[ConfigDict], *, arrays: bool) -> list[Callable[[dict], dict]]:
    """The transforms of a pipeline; ``arrays``: of images that are in memory already, and not in files."""
    transforms: list[Callable[[dict], dict]] = []
    for step in steps:
        transform = TRANSFORMS.build(step)
        if arrays and isinstance(transform, LoadImageFromFile):
            if drops_bits(transform):
                transforms.append(_to_8_bits)
            transform = LoadImageFromNDArray(to_float32=transform.to_float32)
        transforms.append(transform)
    return transforms


def _to_8_bits(results: dict) -> dict:
    image = results["img"]
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"the image is an array of {image.dtype}; expected are pixels of 8 or 16 bits (uint8, uint16)")
    return {**results, "img": _upper_8_bits(image)}


def _upper_8_bits(image: UInt[np.ndarray, "h w *c"]) -> UInt8[np.ndarray, "h w *c"]:
    """As files of 16 bits are read."""
    return (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image


def prepare(transforms: Iterable[Callable[[dict], dict]], results: dict) -> Prepared:
    """Run a pipeline.

    Args:
        transforms: The pipeline.
        results: ``{"img_path": path}`` or ``{"img": array}``.
    """
    picture = np.zeros((0, 0, 3), np.uint8)
    for transform in transforms:
        results = transform(results)
        # Stretched or not, but as large as the file: what comes before a Resize.
        if "img" in results and results["img"].shape[:2] == tuple(results.get("ori_shape", ())):
            picture = _as_picture(results["img"])
    inputs, samples = results["inputs"], results["data_samples"]
    if isinstance(inputs, Tensor):
        inputs, samples = [inputs], [samples]
    return Prepared(list(zip(inputs, samples, strict=True)), picture)


def _as_picture(image: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    channels = np.atleast_3d(_upper_8_bits(image))
    colours = channels[..., :3] if channels.shape[2] >= 3 else channels[..., :1].repeat(3, axis=2)
    return colours if colours.dtype == np.uint8 else colours.clip(0, 255).astype(np.uint8)
