"""A trained network that predicts images, whatever their sizes and wherever they come from."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, Shaped, UInt
from mmengine.device import get_device
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import image_fault
from mmseg_css.deployment.prediction.network import load_network
from mmseg_css.deployment.prediction.pipeline import Prepared, built, prepare, steps_of
from mmseg_css.deployment.prediction.windows import Mode, Windows
from mmseg_css.engine.checkpoints import check_checkpoint
from mmseg_css.engine.preprocessing import channels_of
from mmseg_css.engine.testing import takes_predict_on
from mmseg_css.models.segmentors.batch import Images, images_of
from mmseg_css.models.segmentors.decoding import heads_of, labels_of

#: A file, or pixels as OpenCV and MMSeg have them: height, width, channels, blue first.
Image = str | PathLike[str] | Shaped[np.ndarray, "h w c"]
#: Networks halve an image up to five times; a smaller one is padded to this, and the padding cut off again.
SMALLEST = 32


class Prediction(NamedTuple):
    """What a network says of an image, in the size of the image.

    Attributes:
        labels: Indices of classes.
        probabilities: Of every class, in [0, 1], if they were asked for.
        slid: Whether the image went through the network in windows.
    """

    labels: UInt[np.ndarray, "h w"]
    probabilities: Float32[np.ndarray, "k h w"] | None
    slid: bool


class Predictor:
    """Predict images with a config and a checkpoint.

        from mmseg_css.deployment import Predictor
        predictor = Predictor("configs/own/aided_css_lite0_own.py", "work_dirs/aided_css_lite0_own/iter_3500.pth")
        labels = predictor("photograph.jpg")  # or an array, as cv2.imread gives it

    ``predictor.classes.names`` and ``predictor.classes.palette`` are those of the checkpoint; ``predictor.network`` is
    the network that predicts, of a ``predictor.model`` that may have several.

    Args:
        config: The config that the checkpoint was trained with, of any method here or of plain MMSeg. Its test pipeline
            says how images are read; neither its data nor its classes are looked at.
        checkpoint: A file or a URL.
        mode: Whether images go through the network as a whole or in windows (see `Windows`).
        tta: Whether to average over scaled and mirrored images: ``tta_pipeline`` of the config, or else six scales.
        predict_on: Which network of a method with a teacher; otherwise as the config says, else the teacher.
        device: Where to compute: ``cuda:1``, ``cpu``; the accelerator otherwise, if there is one.
        cfg_options: Settings of the config, as ``{"model.predict_on": "student"}``.

    Raises:
        FileNotFoundError: The config or the checkpoint is not there.
        ValueError: They do not fit each other.
    """

    def __init__(
        self,
        config: str | PathLike[str],
        checkpoint: str | PathLike[str],
        *,
        mode: Mode = "auto",
        tta: bool = False,
        predict_on: Literal["teacher", "student"] | None = None,
        device: str | None = None,
        cfg_options: dict[str, Any] | None = None,
    ) -> None:
        check_checkpoint(str(checkpoint))
        cfg = read_config(config, cfg_options)
        if predict_on is not None:
            if not takes_predict_on(cfg.model):
                raise ValueError(
                    f"{config} trains a plain {cfg.model.type}, which has one network: leave out predict_on"
                )
            cfg.model.predict_on = predict_on
        self.model, self.classes = load_network(deepcopy(cfg), str(checkpoint), device or get_device())
        steps = steps_of(cfg, self.classes.names, tta=tta)
        #: Of ``model``, with its losses, and of how images are read; not of data and schedule.
        self.config_sha256 = _digest([cfg.model, steps])
        self.network = getattr(self.model, "predictor", self.model)
        self._windows = Windows.of(self.model, self.network, mode)
        self._padding = self.model.data_preprocessor.test_cfg
        self._from_files, self._from_arrays = (built(steps, arrays=arrays) for arrays in (False, True))

    def __call__(self, image: Image) -> UInt[np.ndarray, "h w"]:
        """The class of every pixel, in the size of the image; 8 bits up to 256 classes, 16 above.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It cannot be read.
        """
        return self.predict([self.prepare(image)])[0].labels

    def prepare(self, image: Image) -> Prepared:
        """Read an image as the test pipeline does. Threads may do that while others predict.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It cannot be read, or has other channels than the network takes.
        """
        if isinstance(image, np.ndarray):
            if image.ndim not in (2, 3) or image.size == 0:
                raise ValueError(
                    f"the image is an array of shape {image.shape}; expected is (height, width, channels), blue first, "
                    "as cv2.imread gives it"
                )
            return self._checked(prepare(self._from_arrays, {"img": image}), "the image")
        path = str(image)
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no image {path!r}")
        if fault := image_fault(path):
            raise fault
        try:
            prepared = prepare(self._from_files, {"img_path": path})
        except (
            AssertionError,
            OSError,
            ValueError,
            cv2.error,
        ) as error:  # MMSeg asserts, decoders raise what they like
            raise ValueError(f"the image {path!r} cannot be read ({error}); copy or export it again") from error
        return self._checked(prepared, f"the image {path!r}")

    def _checked(self, prepared: Prepared, what: str) -> Prepared:
        channels, own = prepared.views[0][0].shape[0], channels_of(self.network)
        if channels != own:
            raise ValueError(f"{what} has {channels} channels, and the network takes {own}: convert it")
        return prepared

    def predict(self, images: Sequence[Prepared], *, probabilities: bool = False) -> list[Prediction]:
        """Predict several images; those of one size go through the network together.

        Args:
            images: From `prepare`.
            probabilities: Whether they are wanted, too; they take memory.
        """
        alike = defaultdict(list)
        for index, image in enumerate(images):
            sizes = tuple((tuple(inputs.shape), sample.ori_shape) for inputs, sample in image.views)
            alike[sizes].append(index)
        found: dict[int, Prediction] = {}
        for indices in alike.values():
            found.update(
                zip(indices, self._predict_alike([images[index] for index in indices], probabilities), strict=True)
            )
        return [found[index] for index in range(len(images))]

    def _predict_alike(self, images: list[Prepared], probabilities: bool) -> list[Prediction]:
        views = list(zip(*(image.views for image in images), strict=True))
        slid = False
        means: list[Tensor] = []
        with torch.no_grad(), _memory_explained():
            for view in views:
                samples, in_windows = self._segment(view)
                slid |= in_windows
                if probabilities or len(views) > 1:
                    shares = [_probabilities(sample) / len(views) for sample in samples]
                    means = [mean + share for mean, share in zip(means, shares, strict=True)] if means else shares
        if len(views) > 1:
            labels = [labels_of(mean, heads_of(self.network)[-1]) for mean in means]
        else:  # as MMSeg decides it, of logits
            labels = [sample.pred_sem_seg.data.squeeze(0) for sample in samples]
        kind = np.uint8 if len(self.classes.names) <= 256 else np.uint16
        return [
            Prediction(label.cpu().numpy().astype(kind), mean.cpu().numpy() if mean is not None else None, slid)
            for label, mean in zip(labels, means if probabilities else [None] * len(labels), strict=True)
        ]

    def _segment(self, view: Sequence[tuple[Tensor, SegDataSample]]) -> tuple[list[SegDataSample], bool]:
        """MMSeg's predictions of images of one size, and whether they went in windows."""
        data = self._padded(view)
        height, width = (max(SMALLEST, side) for side in data["inputs"][0].shape[1:])
        self.network.test_cfg = self._windows.test_cfg(height, width)
        found = self.model.test_step(data)
        return found, self.network.test_cfg.mode == "slide"

    def whole(self, image: Prepared) -> Images:
        """An image as a whole, as its network is given it; with test-time augmentation the first view of it."""
        data = self.model.data_preprocessor(self._padded(image.views[:1]), False)
        return images_of(data["inputs"], data["data_samples"])

    def _padded(self, view: Sequence[tuple[Tensor, SegDataSample]]) -> dict[str, list]:
        """Images of one size as the preprocessor takes them, which is told to pad those that are too small."""
        inputs, samples = zip(*view, strict=True)
        height, width = inputs[0].shape[1:]
        size = (max(SMALLEST, height), max(SMALLEST, width))
        self.model.data_preprocessor.test_cfg = self._padding or ({"size": size} if size != (height, width) else None)
        return {"inputs": list(inputs), "data_samples": list(samples)}


def _digest(settings: Any) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _probabilities(sample: SegDataSample) -> Float[Tensor, "k h w"]:
    """Of every class; a single output is that of the second of two, and MMSeg has applied its sigmoid."""
    logits = sample.seg_logits.data
    return torch.cat([1 - logits, logits]) if len(logits) == 1 else logits.softmax(dim=0)


@contextmanager
def _memory_explained() -> Iterator[None]:
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise torch.cuda.OutOfMemoryError(
            "the GPU has not enough memory for these images: lower the batch size, let windows slide over them (mode "
            f"'slide'), leave out test-time augmentation, or compute on the CPU (CUDA_VISIBLE_DEVICES=''). "
            f"({str(error).splitlines()[0] if str(error) else 'torch says no more'})"
        ) from error
