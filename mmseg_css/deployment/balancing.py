"""Networks whose classes are balanced: by the biases of their classifier, after the training."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float, Int
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.models.segmentors import BaseSegmentor
from prettytable import PrettyTable
from torch import Tensor

from mmseg_css.cfg_options import parse_options
from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import check_not_empty, check_training_paths
from mmseg_css.deployment.labelled import check_classes, labelled_pixels
from mmseg_css.deployment.prediction.network import load_network, network_of
from mmseg_css.engine.checkpoints import check_checkpoint, meta_of
from mmseg_css.engine.preprocessing import channels_of
from mmseg_css.engine.testing import Evaluation, evaluate
from mmseg_css.evaluation.balance import STRENGTHS
from mmseg_css.files import written
from mmseg_css.functional.balance import balancing_shift
from mmseg_css.models.segmentors.decoding import check_model, check_outputs, heads_of, logits_of
from mmseg_css.registry import DATASETS
from mmseg_css.typos import explained

SHOWN: Final = ("mIoU", "mAcc", "aAcc")
CLASSIFIER: Final = re.compile(r"decode_head(?:\.(\d+))?\.conv_seg\.bias$")
#: Of the picture with which a balanced network is tried, where the config names no crop.
SIDE: Final = 64


class Balancing(NamedTuple):
    """A trained model, the checkpoint that it is of, and what balances its classes."""

    cfg: Config
    model: BaseSegmentor
    saved: dict[str, Any]
    pixels: Int[Tensor, " k"]


def load(config: Path, checkpoint: str, cfg_options: Sequence[str] = ()) -> Balancing:
    """A model, and the labelled pixels of its classes, which are those of the checkpoint.

    Raises:
        FileNotFoundError: The checkpoint, a folder, a list or a mask is missing.
        TypeError: The network has no logits for every pixel.
        ValueError: Checkpoint and config do not fit each other, the checkpoint is balanced already, or the config names
            no training images.
    """
    check_checkpoint(checkpoint)
    cfg = read_config(config, parse_options(cfg_options))
    check_model(cfg.model)
    saved = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    model, classes = network_of(cfg.copy(), saved, checkpoint)
    if (strength := meta_of(saved).get("balance")) is not None:
        raise ValueError(f"{checkpoint} is balanced already, with strength {strength}: take what it was made of")
    check_outputs(_network(model))
    dataset = _labelled_set(cfg)
    check_classes(classes.names, tuple(dataset.metainfo.get("classes") or ()), checkpoint, str(config))
    return Balancing(cfg, model, saved, labelled_pixels(dataset))


def _network(model: Any) -> Any:
    return getattr(model, "predictor", model).eval()


def _labelled_set(cfg: Config) -> Any:
    train = (cfg.get("train_dataloader") or {}).get("dataset", {})
    labeled = train.get("labeled", train)
    if not labeled:
        raise ValueError(
            f"{cfg.filename} names no training images, whose masks say how many pixels each class has: name the config "
            "that the checkpoint was trained with"
        )
    init_default_scope(cfg.get("default_scope", "mmseg"))  # where names of transforms are looked up
    check_training_paths(labeled)
    with explained(cfg):
        dataset = DATASETS.build({**labeled, "lazy_init": True} if "data_prefix" in labeled else labeled)
    check_not_empty(dataset, "labeled")
    dataset.full_init()
    return dataset


def worth_at(
    asked: Evaluation, strengths: Sequence[float] = STRENGTHS, predict_on: str | None = None
) -> dict[str, dict[str, float]]:
    """What the network of a checkpoint is worth on the test set of its config: ``{"0.5": {"mIoU": 51.5, ...}, ...}``.

    Raises:
        FileNotFoundError, TypeError, ValueError: As `load`.
    """
    found = load(asked.config, asked.checkpoint, asked.cfg_options)
    metric = {
        "type": "BalanceMetric",
        "pixels": found.pixels.tolist(),
        "strengths": list(strengths),
        "ignore_index": heads_of(_network(found.model))[-1].ignore_index,
    }
    metrics = evaluate(replace(asked, metric=metric), predict_on)
    return {f"{strength:g}": {name: float(metrics[f"{strength:g}/{name}"]) for name in SHOWN} for strength in strengths}


def strengths_table(worth: Mapping[str, Mapping[str, float]]) -> PrettyTable:
    """A row for each strength of `worth_at`."""
    table = PrettyTable(["strength", *SHOWN])
    table.add_rows([[strength, *(f"{found[name]:.2f}" for name in SHOWN)] for strength, found in worth.items()])
    return table


def balance_checkpoint(
    config: Path,
    checkpoint: str,
    strength: float,
    out: Path,
    *,
    cfg_options: Sequence[str] = (),
    overwrite: bool = False,
) -> None:
    """Write a checkpoint of the same networks, whose classifiers have `functional.balancing_shift` in their biases.

    Whatever reads checkpoints reads it. Optimiser and schedule stay behind.

    Args:
        config: config that it was trained with.
        checkpoint: file or URL.
        strength: how strongly (see `functional.balancing_shift`).
        out: the file that is written.
        cfg_options: ``KEY=VALUE``, settings of the config.
        overwrite: replace a file that is there.

    Raises:
        FileExistsError: ``out`` is there, or is the checkpoint itself.
        ValueError: The logits are not those of a classifier with biases, or as `load`.
        FileNotFoundError, TypeError: As `load`.
    """
    if out.exists() and (not overwrite or out.resolve() == Path(checkpoint).resolve()):
        raise FileExistsError(
            f"{out} is there already; name another --out, or (not for the checkpoint) say --overwrite"
        )
    found = load(config, checkpoint, cfg_options)
    shift = balancing_shift(found.pixels, strength)
    state = shifted(found.saved.get("state_dict", found.saved), shift)
    _write({"meta": {**meta_of(found.saved), "balance": strength}, "state_dict": state}, out, found, shift)


def _write(saved: dict[str, Any], out: Path, before: Balancing, shift: Float[Tensor, " k"]) -> None:
    """Write a checkpoint, and keep it if it does what it should."""
    with written(out) as part:
        torch.save(saved, part)
        _check_shifted(before, str(part), shift)


def shifted(state: dict[str, Any], shift: Float[Tensor, " k"]) -> dict[str, Any]:
    """Weights whose classifiers have so much more in their biases; of a cascade the last head's, which predicts."""
    found = [(name, int(match[1] or 0)) for name in state if (match := CLASSIFIER.search(name))]
    last = max((index for _, index in found), default=0)
    return state | {name: state[name] + shift.to(state[name]) for name, index in found if index == last}


def _check_shifted(before: Balancing, after: str, shift: Float[Tensor, " k"]) -> None:
    """Check that the logits differ by the shift, and by nothing else."""
    size = tuple(before.cfg.model.data_preprocessor.get("size") or (SIDE, SIDE))
    channels = channels_of(_network(before.model))
    picture = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0))
    model, _ = load_network(before.cfg.copy(), after, "cpu")
    with torch.no_grad():
        was, found = (logits_of(_network(one), picture) for one in (before.model, model))
    if not torch.allclose(found - was, shift[:, None, None], atol=1e-3):
        [*_, head] = heads_of(_network(model))
        raise ValueError(
            f"the logits of a {type(head).__name__} are not its conv_seg's, whose biases would balance them: nothing "
            "was written"
        )
