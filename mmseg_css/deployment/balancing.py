"""Networks whose classes are balanced: by the biases of their classifier, after the training."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader
from prettytable import PrettyTable
from torch import Tensor

from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import check_config, leaves
from mmseg_css.deployment.prediction.network import load_network
from mmseg_css.engine.checkpoints import no_checkpoint
from mmseg_css.engine.testing import Evaluation, evaluate
from mmseg_css.functional.balance import balancing_shift
from mmseg_css.preparation.splits.statistics import histograms
from mmseg_css.registry import DATASETS
from mmseg_css.typos import explained

CLASSIFIER: Final = re.compile(r"decode_head(?:\.(\d+))?\.conv_seg\.bias$")
#: Of the picture with which a balanced network is tried.
SIDE: Final = 64


def labelled_pixels(cfg: Config) -> Int[Tensor, " k"]:
    """Pixels of each class in the masks that a config trains with.

    Raises:
        FileNotFoundError: A folder, a list or a mask is missing.
        ValueError: The config names no training images.
    """
    train = cfg.get("train_dataloader", {}).get("dataset", {})
    labeled = train.get("labeled", train)
    if not labeled:
        raise ValueError(
            f"{cfg.filename} names no training images, whose masks say how many pixels each class has: name the config "
            "that the checkpoint was trained with"
        )
    init_default_scope(cfg.get("default_scope", "mmseg"))  # where names of transforms are looked up
    check_config(labeled)
    with explained(cfg):
        dataset: Any = DATASETS.build(labeled)
    infos = [leaf.get_data_info(index) for leaf in leaves(dataset) for index in range(len(leaf))]
    counts = sum(histograms(infos, getattr(next(leaves(dataset)), "ignore_index", 255)))
    return torch.as_tensor(counts)[: len(dataset.metainfo["classes"])]


def strengths_table(asked: Evaluation, strengths: Sequence[float], predict_on: str | None = None) -> str:
    """What the network of a checkpoint is worth on the test set of its config at several strengths."""
    pixels = labelled_pixels(read_config(asked.config)).tolist()
    options = [
        *asked.cfg_options,
        *("test_evaluator.type=BalanceMetric", "test_evaluator._delete_=True"),
        f"test_evaluator.pixels=[{','.join(map(str, pixels))}]",
        f"test_evaluator.strengths=[{','.join(map(str, strengths))}]",
    ]
    found = evaluate(Evaluation(**{**vars(asked), "cfg_options": options}), predict_on)
    table = PrettyTable(["strength", "mIoU", "mAcc", "aAcc"])
    for strength in strengths:
        table.add_row([f"{strength:g}", *(f"{found[f'{strength:g}/{name}']:.2f}" for name in table.field_names[1:])])
    return table.get_string()


def balance_checkpoint(config: Path, checkpoint: str, strength: float, out: Path, *, overwrite: bool = False) -> None:
    """Write a checkpoint of the same networks, whose classifiers have `functional.balancing_shift` in their biases.

    Whatever reads checkpoints reads it. Optimiser and schedule stay behind.

    Raises:
        FileExistsError: ``out`` is there.
        ValueError: The checkpoint is balanced already, or its head has no bias for each class.
    """
    if "://" not in checkpoint and not Path(checkpoint).is_file():
        raise FileNotFoundError(no_checkpoint(checkpoint))
    if out.exists() and not overwrite:
        raise FileExistsError(f"{out} is there already; name another --out, or say --overwrite")
    cfg = read_config(config)
    saved = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    if "balance" in (meta := saved.get("meta", {})):
        raise ValueError(f"{checkpoint} is balanced already, with strength {meta['balance']}: take what it was made of")
    shift = balancing_shift(labelled_pixels(cfg), strength)
    state = shifted(saved.get("state_dict", saved), shift)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    torch.save({"meta": {**meta, "balance": strength}, "state_dict": state}, part)
    try:
        _check(cfg, checkpoint, str(part), shift)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def shifted(state: dict[str, Any], shift: Float[Tensor, " k"]) -> dict[str, Any]:
    """Weights whose classifiers say each class so much more; of a cascade its last head, which predicts."""
    found = [(name, int(match[1] or 0)) for name in state if (match := CLASSIFIER.search(name))]
    last = max((index for _, index in found), default=0)
    return state | {name: state[name] + shift.to(state[name]) for name, index in found if index == last}


def _check(cfg: Config, before: str, after: str, shift: Float[Tensor, " k"]) -> None:
    """Check that the logits differ by the shift, and by nothing else."""
    picture = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    said = []
    for file in (before, after):
        model, _ = load_network(cfg.copy(), file, "cpu")
        network = getattr(model, "predictor", model).eval()
        with torch.no_grad():
            said.append(network(picture, mode="tensor"))
    if not (isinstance(said[0], Tensor) and torch.allclose(said[1] - said[0], shift[:, None, None], atol=1e-3)):
        kind = cfg.model.get("segmentor", cfg.model).decode_head
        name = kind.get("type") if isinstance(kind, dict) else "cascade"
        raise ValueError(
            f"the logits of a {name} are not its conv_seg's, whose biases would balance them: nothing was written"
        )
