"""What a checkpoint is worth with the statistics of its norm layers taken anew over clean training images.

    python benchmarks/statistics_anew.py CONFIG CHECKPOINT data/camvid/images/train --every 3 --out anew.pth
    mmseg-css test CONFIG anew.pth --predict-on student

Running averages hold the last few batches, and of methods with strong views those views. The network that trains is
changed; a teacher, whose statistics are averages over many steps, is left as it is.
"""

import argparse
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from torch import Tensor
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

import mmseg_css.register  # noqa: F401
from mmseg_css.deployment import Predictor

BATCH = 8


def batch_of(predictor: Predictor, files: list[Path]) -> Tensor:
    views = [predictor.prepare(path).views[0] for path in files]
    data = {"inputs": [image for image, _ in views], "data_samples": [sample for _, sample in views]}
    return predictor.model.data_preprocessor(data, False)["inputs"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("images", type=Path, help="a folder of images of one size")
    parser.add_argument("--every", type=int, default=1, help="take every n-th of them")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    init_default_scope("mmseg")
    predictor = Predictor(arguments.config, arguments.checkpoint, device="cpu")
    trained = getattr(predictor.model, "student", predictor.model)
    files = sorted(path for path in arguments.images.rglob("*") if path.is_file())[:: arguments.every]
    starts = tqdm(range(0, len(files), BATCH), unit="batch")
    update_bn((batch_of(predictor, files[start : start + BATCH]) for start in starts), trained)
    saved = torch.load(arguments.checkpoint, map_location="cpu", weights_only=False)
    saved["state_dict"] = predictor.model.state_dict()
    torch.save(saved, arguments.out)


if __name__ == "__main__":
    main()
