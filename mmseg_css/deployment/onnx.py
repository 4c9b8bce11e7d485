"""An exported network as an ONNX file, compared with the original in onnxruntime."""

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from mmengine.model import revert_sync_batchnorm
from mmseg.apis import init_model
from mmseg.models.segmentors import EncoderDecoder
from packaging.version import Version
from torch import Tensor, nn
from torch.nn import functional as F

from mmseg_css.config_files import read_config
from mmseg_css.engine.preprocessing import channels_of, preprocessing_of, steps_of
from mmseg_css.extras import check_extra
from mmseg_css.files import written
from mmseg_css.models.segmentors.decoding import heads_of, logits_of

TOLERANCE = 1e-4  # of the largest logit
LOWEST_TORCH = (2, 9)


class PicturesToLogits(nn.Module):
    """What a segmentor does in a test, in one module: normalise pictures, segment them whole, enlarge the logits."""

    mean: Float[Tensor, "c 1 1"]
    std: Float[Tensor, "c 1 1"]

    def __init__(self, segmentor: EncoderDecoder) -> None:
        super().__init__()
        self.segmentor = segmentor
        normalisation = preprocessing_of(segmentor.data_preprocessor)
        # MMSeg turns three channels, and leaves others as they are.
        self.turns = normalisation["channels turned"] and channels_of(segmentor) == 3
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(normalisation[name])[:, None, None])

    def forward(self, images: Float[Tensor, "b c H W"]) -> Float[Tensor, "b k H W"]:
        """Args:
        images: pictures as OpenCV reads them, channels in its order, values from 0 to 255.
        """
        size = images.shape[2:]
        if self.turns:
            images = images[:, [2, 1, 0]]
        logits = logits_of(self.segmentor, (images - self.mean) / self.std)
        logits = F.interpolate(logits, size=size, mode="bilinear", align_corners=self.segmentor.align_corners)
        [*_, head] = heads_of(self.segmentor)
        return of_two_classes(logits, head.threshold) if head.out_channels == 1 else logits


def of_two_classes(logits: Float[Tensor, "b 1 H W"], threshold: float) -> Float[Tensor, "b 2 H W"]:
    """Of a single output, whose sigmoid is compared with a threshold, logits of which the largest decides alike.

    ``sigmoid(z) > t`` where ``z - log(t / (1 - t)) > 0``.
    """
    return torch.cat([torch.zeros_like(logits), logits - math.log(threshold / (1 - threshold))], dim=1)


def check_installed() -> None:
    """Check that what ONNX needs is there.

    Raises:
        ImportError: It is not, or torch is too old.
    """
    check_extra("onnx", "--onnx", "onnx", "onnxruntime", "onnxscript")
    if not writes_onnx():
        raise ImportError(
            f"--onnx needs torch 2.9 or later, and this is {torch.__version__}: 2.6 cannot write resizing to any "
            "size, and between them none was tried. Export without --onnx here, and with it where torch is newer"
        )


def writes_onnx() -> bool:
    """Whether this torch is new enough."""
    return Version(torch.__version__).release >= LOWEST_TORCH


def export_onnx(config: Path, checkpoint: Path) -> Path:
    """Write a plain MMSeg model as ``checkpoint`` with the suffix ``.onnx``, for batches and images of any size.

    The input ``images`` is float32 of shape ``(b, c, H, W)``, as OpenCV reads pictures, from 0 to 255; the output
    ``logits`` is ``(b, k, H, W)``. Images are segmented whole, even if the config slides a window over them.

    Raises:
        ImportError: The extra ``onnx`` is not installed, or torch is too old.
        ValueError: onnxruntime gives other logits than the model, or cannot run the file; none is left.
    """
    check_installed()
    model = revert_sync_batchnorm(init_model(str(config), str(checkpoint), device="cpu"))
    network = PicturesToLogits(model).eval()
    channels = channels_of(model)
    path = checkpoint.with_suffix(".onnx")
    any_size = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    with torch.no_grad(), written(path) as part:
        torch.onnx.export(
            network,
            (pictures(2, channels, 96, 128),),
            str(part),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": any_size},
            dynamo=True,
            external_data=False,  # one file, which can be copied alone
            verbose=False,
        )
        check_onnx(part, network, pictures(1, channels, 129, 97))
    return path


def left_to_do(config: Path) -> str | None:
    """What a config does to pictures in a test beside loading and normalising them, in words: the file does not."""
    cfg = read_config(config)
    notes = []
    if done := ", ".join(steps_of(cfg) or ()):
        notes.append(f"takes pictures as they are after {done} of the test pipeline, so do that to yours first")
    if padding := cfg.get("model", {}).get("data_preprocessor", {}).get("test_cfg"):
        notes.append(
            f"does not pad pictures (model.data_preprocessor.test_cfg = {dict(padding)}), so pad yours first, on the "
            "right and below, with mean + pad_val * std, and cut the logits to their size"
        )
    model = cfg.get("model", {})
    if (model.get("segmentor", model).get("test_cfg") or {}).get("mode") == "slide":
        notes.append(
            "takes pictures as a whole, where the config slides a window over them (test_cfg.mode = 'slide'), so cut "
            "yours into such windows first, and average the logits where they overlap"
        )
    return f"the ONNX file {'; it '.join(notes)}" if notes else None


def pictures(*shape: int) -> Float[Tensor, "b c H W"]:
    """Noise from 0 to 255."""
    return 255 * torch.rand(shape, generator=torch.Generator().manual_seed(0))


def check_onnx(path: Path, network: nn.Module, images: Float[Tensor, "b c H W"]) -> None:
    """Compare the file's logits with the network's.

    Raises:
        ValueError: They differ by more than rounding, or the file cannot be run.
    """
    import onnxruntime

    expected = network(images).numpy()
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        [found] = session.run(None, {"images": images.numpy()})
    except Exception as error:  # onnxruntime's have no other class in common
        raise ValueError(
            f"onnxruntime {onnxruntime.__version__} cannot run what torch {torch.__version__} wrote of this network "
            f"({error}); another version of one of them may, and no ONNX file was written"
        ) from error
    difference, largest = np.abs(found - expected).max(), np.abs(expected).max()
    if not difference <= TOLERANCE * largest:
        raise ValueError(
            f"onnxruntime's logits differ from the model's by {difference:.3g}, where the largest is {largest:.3g}; "
            "torch cannot translate this network faithfully, so that no ONNX file was written"
        )
