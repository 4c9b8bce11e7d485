"""An exported network as an ONNX file, compared with the original in onnxruntime."""

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
from mmseg_css.engine.preprocessing import steps_of, turns_channels
from mmseg_css.extras import check_extra
from mmseg_css.models.segmentors.decoding import logits_of

TOLERANCE = 1e-4  # of the largest logit
LOWEST_TORCH = (2, 9)


class PicturesToLogits(nn.Module):
    """What a segmentor does in a test, in one module: normalise pictures, segment them whole, enlarge the logits."""

    def __init__(self, segmentor: EncoderDecoder) -> None:
        super().__init__()
        self.segmentor = segmentor

    def forward(self, images: Float[Tensor, "b c H W"]) -> Float[Tensor, "b k H W"]:
        """Args:
        images: pictures as OpenCV reads them, channels in its order, values from 0 to 255.
        """
        size, prepare = images.shape[2:], self.segmentor.data_preprocessor
        if turns_channels(prepare):
            images = images[:, [2, 1, 0]]
        logits = logits_of(self.segmentor, (images - prepare.mean) / prepare.std)
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=self.segmentor.align_corners)


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
        ValueError: onnxruntime gives other logits than the model; the file is removed.
    """
    check_installed()
    model = revert_sync_batchnorm(init_model(str(config), str(checkpoint), device="cpu"))
    network = PicturesToLogits(model).eval()
    channels = len(model.data_preprocessor.mean)
    path = checkpoint.with_suffix(".onnx")
    any_size = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    with torch.no_grad():
        torch.onnx.export(
            network,
            (pictures(2, channels, 96, 128),),
            str(path),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": any_size},
            dynamo=True,
            external_data=False,  # one file, which can be copied alone
            verbose=False,
        )
        try:
            check_onnx(path, network, pictures(1, channels, 129, 97))
        except ValueError:
            path.unlink()
            raise
    return path


def left_to_do(config: Path) -> str | None:
    """What a config's test pipeline does to pictures beside loading them, in words: the file does not."""
    done = ", ".join(steps_of(read_config(config)) or ())
    if not done:
        return None
    return f"the ONNX file takes pictures as they are after {done} of the test pipeline, so do that to yours first"


def pictures(*shape: int) -> Float[Tensor, "b c H W"]:
    """Noise from 0 to 255."""
    return 255 * torch.rand(shape, generator=torch.Generator().manual_seed(0))


def check_onnx(path: Path, network: nn.Module, images: Float[Tensor, "b c H W"]) -> None:
    """Compare the file's logits with the network's.

    Raises:
        ValueError: They differ by more than rounding.
    """
    import onnxruntime

    expected = network(images).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"images": images.numpy()})
    difference, largest = np.abs(found - expected).max(), np.abs(expected).max()
    if not difference <= TOLERANCE * largest:
        raise ValueError(
            f"{str(path)!r}: onnxruntime's logits differ from the model's by {difference:.3g}, where the largest is "
            f"{largest:.3g}; torch cannot translate this network faithfully, so that nothing was written"
        )
