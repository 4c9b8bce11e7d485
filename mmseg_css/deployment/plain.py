"""A trained network as an ordinary MMSeg model: a config and a checkpoint that need this package no more."""

import hashlib
import inspect
import io
import textwrap
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.datasets import BaseSegDataset

from mmseg_css.config_files import read_config
from mmseg_css.deployment.prediction.network import load_network
from mmseg_css.files import write_bytes, write_text
from mmseg_css.models.heads import DeepLabV3PlusHead, MapDPTHead, ProjectionMixin
from mmseg_css.models.segmentors import SemiSegmentor
from mmseg_css.registry import DATASETS, MODELS, TRANSFORMS

Network = Literal["teacher", "student"]
#: What an evaluation reads of a config, beside the model and the data.
RUNTIME = ("default_scope", "env_cfg", "vis_backends", "visualizer", "log_level", "test_evaluator")
#: Heads that MMSeg has not. Each is alone in its file, which imports only the registry of ours.
OURS = (DeepLabV3PlusHead, MapDPTHead)
PREFIX = {"teacher": "teacher.model.", "student": "student."}


class Exported(NamedTuple):
    """The files written, and what of the config could not be taken over, in words."""

    config: Path
    checkpoint: Path
    notes: list[str]


def export_segmentor(
    config: Path, checkpoint: str, out: Path, network: Network | None = None, *, overwrite: bool = False
) -> Exported:
    """Write ``out.py`` and ``out-<hash>.pth``, which MMSeg loads with this package not installed.

    The projection branch, which only training needs, stays behind. A head that MMSeg does not have (`OURS`) is defined
    in the written config. The hash is eight hexadecimal digits of the checkpoint's SHA-256, as in MMSeg's model zoo.

    Args:
        config: config that the checkpoint was trained with, of any method here or supervised-only.
        checkpoint: file or URL.
        out: path of the result without suffix.
        network: which network of a method with a teacher; by default the one that its config predicts with.
        overwrite: replace a config that is there.

    Raises:
        FileExistsError: the config is there already.
        ValueError: The checkpoint is of another model, the network is not there, or the head has no plain form.
    """
    written = _free(out.with_name(f"{out.name}.py"), overwrite)
    cfg = read_config(config)
    prefixes = network_prefixes(cfg.model)
    prefix = choose_prefix(cfg.model, prefixes, network, config)
    model, definition = plain_model(cfg.model.segmentor if prefixes else cfg.model)
    model["data_preprocessor"] = {**cfg.model.data_preprocessor, "type": "SegDataPreProcessor"}
    loaded, _ = load_network(deepcopy(cfg), checkpoint, "cpu")
    weights = network_weights(loaded.state_dict(), prefix)
    plain, notes = plain_config(cfg, model)
    text = plain.pretty_text
    write_text(written, f"{definition}\n\n{text}" if definition else text)
    # MMSeg's functions for inference read the classes there, and `balance` that it was there.
    meta = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu").get("meta", {})
    meta = {key: value for key, value in meta.items() if key in ("dataset_meta", "balance")}
    return Exported(written, publish(weights, meta, out), notes)


def _free(path: Path, overwrite: bool) -> Path:
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} is there already; name another OUT, or say --overwrite")
    return path


def network_prefixes(model: ConfigDict) -> tuple[str, ...]:
    """What the names of each network's weights begin with; none for a plain segmentor, which is one network itself."""
    kind = MODELS.get(model.type)
    if not (inspect.isclass(kind) and issubclass(kind, SemiSegmentor)):
        return ()
    return kind.networks if model.get("teacher") is None else (*kind.networks, PREFIX["teacher"])


def choose_prefix(model: ConfigDict, prefixes: tuple[str, ...], network: Network | None, config: Path) -> str:
    """The prefix of the network to export; empty for a plain segmentor.

    Raises:
        ValueError: The model does not have the network that was asked for.
    """
    if not prefixes:
        if network is not None:
            raise ValueError(f"{config} trains a plain {model.type}, which has one network: leave out --network")
        return ""
    has_teacher = PREFIX["teacher"] in prefixes
    if network == "teacher" and not has_teacher:
        raise ValueError(f"{config} trains {model.type}, which has no teacher: export its student")
    return PREFIX[network or (model.get("predict_on", "teacher") if has_teacher else "student")]


def plain_config(cfg: Config, model: dict[str, Any]) -> tuple[Config, list[str]]:
    """What an evaluation of ``model`` needs of a config, and what could not be taken over, in words."""
    plain = Config({key: cfg[key] for key in RUNTIME if key in cfg} | {"model": model})
    for key in ("test_pipeline", "test_dataloader", "test_cfg"):
        if key in cfg:
            plain[key] = cfg[key]
    return plain, make_dataset_plain(plain) if "test_dataloader" in plain else []


def plain_model(segmentor: ConfigDict) -> tuple[dict[str, Any], str]:
    """The segmentor's config without what is ours, and the source of its head if MMSeg has no such head."""
    model = ConfigDict(segmentor.to_dict())
    heads = _listed(model.decode_head)
    # Evaluation computes no loss, and ours would not be found.
    for any_head in (*heads, *_listed(model.get("auxiliary_head"))):
        any_head.get("kernel_generate_head", any_head).loss_decode = dict(type="CrossEntropyLoss")
    model.backbone.pop("init_cfg", None)
    definitions = [definition for head in heads if (definition := _make_head_plain(head))]
    return model, definitions[0] if definitions else ""


def _listed(heads: Any) -> list[ConfigDict]:
    return list(heads) if isinstance(heads, list | tuple) else [heads] if heads else []


def _make_head_plain(head: ConfigDict) -> str:
    """Name a head of MMSeg's in place; the source of the head if MMSeg has none."""
    kind = MODELS.get(head.type)
    if issubclass(kind, ProjectionMixin):
        kind = kind.__mro__[kind.__mro__.index(ProjectionMixin) + 1]
        for key in ("projection", "tap"):
            head.pop(key, None)
    head.type = kind.__name__
    if kind in OURS:
        head.type = f"Exported{kind.__name__}"
        return head_definition(kind)
    if not kind.__module__.startswith(("mmseg.", "mmpretrain.")):
        raise ValueError(
            f"the head {kind.__name__} is neither MMSeg's nor {' or '.join(one.__name__ for one in OURS)}, so that no "
            "plain config names it; it has to travel with the model as a custom import"
        )
    return ""


def head_definition(kind: type) -> str:
    """A function for a config file that registers a head of ours in MMSeg, and its call."""
    source = inspect.getsource(inspect.getmodule(kind))  # type: ignore[arg-type]
    source = source.replace("from mmseg_css.registry import MODELS", "from mmseg.registry import MODELS")
    name = f"Exported{kind.__name__}"
    source = source.replace("@MODELS.register_module()", f'@MODELS.register_module(name="{name}", force=True)')
    # MMEngine leaves functions out of a config's entries, and takes a file that imports something for a config of its
    # other style, unless that file names its bases.
    return (
        f"# MMSeg has no {kind.__name__}; reading this file registers it.\n_base_ = []\n\n\n"
        f"def register_head():\n{textwrap.indent(source, '    ')}\n\n\nregister_head()"
    )


def network_weights(state: Mapping[str, Any], prefix: str) -> dict[str, torch.Tensor]:
    """The weights of one network, without its projection branch."""
    own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    return {
        name: value
        for name, value in own.items()
        if not name.startswith("decode_head.projection.") and name != "_extra_state"
    }


def make_dataset_plain(cfg: Config) -> list[str]:
    """Name a data set class of MMSeg's instead of ours, in place; without one, leave the data out and say so.

    What happens to a picture before the network sees it belongs to the model, and stays in any case that MMSeg knows.
    """
    dataset = cfg.test_dataloader.dataset
    kind = DATASETS.get(dataset.type)
    transforms = [TRANSFORMS.get(step["type"]) for step in dataset.get("pipeline", [])]
    ours = sorted({transform.__name__ for transform in transforms if _is_ours(transform)})
    readable = not ours
    if _is_ours(kind) and kind.get_label_map.__func__ is not BaseSegDataset.get_label_map.__func__:
        ours.append(f"{kind.__name__}, which maps label values itself")
    elif _is_ours(kind) and "ann_file" in dataset and not getattr(kind, "METAINFO", None):
        ours.append(f"{kind.__name__}, which reads its list itself")
    if ours:
        for key in ("test_pipeline", "test_dataloader", "test_evaluator", "test_cfg"):
            cfg.pop(key, None)
        if not readable:
            return [
                f"the config has neither test data nor a test pipeline, since MMSeg lacks {', '.join(ours)}: add both, "
                "and do to the images what those transforms do"
            ]
        cfg.test_pipeline = [step for step in dataset.pipeline if step["type"] != "LoadAnnotations"]
        cfg.test_dataloader = dict(batch_size=1, dataset=dict(type="BaseSegDataset", pipeline=cfg.test_pipeline))
        return [
            f"the config predicts, but has no data to evaluate on, since MMSeg lacks {', '.join(ours)}: for MMSeg's "
            "a test add data that it can read"
        ]
    if not _is_ours(kind):
        return []
    for key, parameter in inspect.signature(kind.__init__).parameters.items():
        if key in ("img_suffix", "seg_map_suffix", "reduce_zero_label"):
            dataset.setdefault(key, parameter.default)
    dataset.type = "BaseSegDataset"
    if "metainfo" not in dataset:
        dataset.metainfo = dict(classes=kind.METAINFO["classes"], palette=kind.METAINFO["palette"])
    return []


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("mmseg_css.")


def publish(weights: dict[str, torch.Tensor], meta: dict[str, Any], out: Path) -> Path:
    """Write the checkpoint under a name that ends in the beginning of its hash."""
    content = io.BytesIO()
    torch.save({"state_dict": weights, "meta": meta}, content)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    final = out.with_name(f"{out.name}-{digest[:8]}.pth")
    write_bytes(final, content.getvalue())
    return final
