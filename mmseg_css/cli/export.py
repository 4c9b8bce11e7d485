"""Write a trained network as a config and a checkpoint of plain MMSegmentation.

    python tools/export_segmentor.py configs/css/css_r101_voc_1-8.py work_dirs/.../iter_80000.pth exported/css_voc

writes exported/css_voc.py and exported/css_voc-<hash>.pth, which MMSeg's tools, `init_model` and `MMSegInferencer` load
without this package. With --onnx also exported/css_voc-<hash>.onnx, which onnxruntime runs.
"""

import argparse
import sys
from pathlib import Path


import mmseg_css  # noqa: E402, F401  (checks the stack and registers everything, before any config is read)

# isort: split
from mmseg_css import compat  # noqa: E402
from mmseg_css.deployment.onnx import check_installed, export_onnx  # noqa: E402
from mmseg_css.deployment.plain import export_segmentor  # noqa: E402


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="the config it was trained with")
    parser.add_argument("checkpoint", help="the checkpoint: a file or a URL")
    parser.add_argument("out", type=Path, help="where it goes, without suffix")
    parser.add_argument(
        "--network", choices=["teacher", "student"], help="of a method with a teacher (default: the one that predicts)"
    )
    parser.add_argument("--onnx", action="store_true", help="an ONNX file, too (pip install -r requirements/onnx.txt)")
    parser.add_argument("--trust-checkpoint", action="store_true", help="load the checkpoint even if it can run code")
    args = parser.parse_args(argv)
    if args.onnx:
        check_installed()
    if args.trust_checkpoint:
        compat.trust_checkpoints()
    exported = export_segmentor(args.config, args.checkpoint, args.out, args.network)
    for note in exported.notes:
        print(f"note: {note}")
    print(f"wrote {exported.config} and {exported.checkpoint}")
    if args.onnx:
        path = export_onnx(exported.config, exported.checkpoint)
        print(f"wrote {path}; onnxruntime gives the model's logits")


if __name__ == "__main__":
    main()
