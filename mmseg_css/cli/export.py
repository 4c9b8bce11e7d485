"""``mmseg-css export``."""

from pathlib import Path
from typing import Literal

from mmseg_css.cli.options import Checkpoint, ConfigFile, Overwrite, TrustCheckpoint


def command(
    config: ConfigFile,
    checkpoint: Checkpoint,
    out: Path,
    /,
    *,
    network: Literal["teacher", "student"] | None = None,
    onnx: bool = False,
    overwrite: Overwrite = False,
    trust_checkpoint: TrustCheckpoint = False,
) -> None:
    """Write a trained network as a config and a checkpoint of plain MMSegmentation.

    With OUT = exported/css_voc: exported/css_voc.py and exported/css_voc-HASH.pth, which MMSeg's tools, init_model and
    MMSegInferencer load without this package.

    Args:
        config: The config it was trained with.
        out: Where it goes, without suffix; in a folder that is there, under the name of the config.
        network: Of a method with a teacher; the one that predicts otherwise.
        onnx: An ONNX file, too (pip install "mmseg-css[onnx]").
    """
    from mmseg_css.register import compat  # isort: skip
    from mmseg_css.deployment.onnx import check_installed, export_onnx, left_to_do
    from mmseg_css.deployment.plain import export_segmentor

    if onnx:
        check_installed()
    if trust_checkpoint:
        compat.trust_checkpoints()
    exported = export_segmentor(config, checkpoint, out, network, overwrite=overwrite)
    for note in exported.notes:
        print(f"note: {note}")
    print(f"wrote {exported.config} and {exported.checkpoint}")
    if onnx:
        print("writing ONNX and comparing it, which takes minutes ...", flush=True)
        path = export_onnx(exported.config, exported.checkpoint)
        print(f"wrote {path}; onnxruntime gives the model's logits")
        if more := left_to_do(config):
            print(f"note: {more}")
