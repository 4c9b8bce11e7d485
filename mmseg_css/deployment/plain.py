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
from mmseg_css.datasets.checks import dataset_configs
from mmseg_css.deployment.prediction.network import network_of
from mmseg_css.files import write_bytes, write_text
from mmseg_css.models.heads import DeepLabV3PlusHead, MapDPTHead, ProjectionMixin
from mmseg_css.models.segmentors import SemiSegmentor
from mmseg_css.registry import DATASETS, MODELS, TRANSFORMS

Network = Literal["teacher", "student"]
#: What an evaluation reads of a config, beside the model and the data.
RUNTIME = ("default_scope", "env_cfg", "vis_backends", "visualizer", "log_level", "test_evaluator")
#: Heads that MMSeg has not. Each is alone in its file, which imports only the registry of ours.
OURS = (DeepLabV3PlusHead, MapDPTHead)
#: What they are called in a config that was exported.
EXPORTED = {f"Exported{kind.__name__}": kind for kind in OURS}
#: Packages whose parts MMSeg finds by a name in a config.
KNOWN = ("mmcv.", "mmdet.", "mmengine.", "mmpretrain.", "mmseg.")
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
        ValueError: The checkpoint is of another model, the network is not there, or a part of it has no plain form.
    """
    written = _free(out.with_name(f"{out.name}.py"), overwrite)
    cfg = read_config(config)
    prefixes = network_prefixes(cfg.model)
    prefix = choose_prefix(cfg.model, prefixes, network, config)
    model, definition = plain_model(cfg.model.segmentor if prefixes else cfg.model)
    check_parts(model)
    model["data_preprocessor"] = {**cfg.model.data_preprocessor, "type": "SegDataPreProcessor"}
    saved = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    loaded, _ = network_of(deepcopy(cfg), saved, checkpoint)
    weights = network_weights(loaded.state_dict(), prefix)
    plain, notes = plain_config(cfg, model)
    text = plain.pretty_text
    write_text(written, f"{definition}\n\n{text}" if definition else text)
    # MMSeg's functions for inference read the classes there, and `balance` that it was there.
    meta = {key: value for key, value in saved.get("meta", {}).items() if key in ("dataset_meta", "balance")}
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
    kept = (*RUNTIME, "test_pipeline", "test_dataloader", "test_cfg")
    plain = Config({key: cfg[key] for key in kept if cfg.get(key) is not None} | {"model": model})
    if "test_dataloader" in plain:
        return plain, make_dataset_plain(plain)
    if "test_pipeline" in plain:
        return plain, []
    return plain, [f"the config has neither test data nor a test pipeline, as {cfg.filename}: add both"]


def plain_model(segmentor: ConfigDict) -> tuple[ConfigDict, str]:
    """The segmentor's config without what is ours, and the source of its head if MMSeg has no such head."""
    model = ConfigDict(segmentor.to_dict())
    heads = _listed(model.decode_head)
    # Evaluation computes no loss, and ours would not be found.
    for any_head in (*heads, *_listed(model.get("auxiliary_head"))):
        any_head.get("kernel_generate_head", any_head).loss_decode = dict(type="CrossEntropyLoss")
    model.backbone.pop("init_cfg", None)
    definitions = [definition for head in heads if (definition := _make_head_plain(head))]
    return model, definitions[0] if definitions else ""


def _listed(parts: Any) -> list[ConfigDict]:
    return list(parts) if isinstance(parts, list | tuple) else [parts] if parts else []


def _make_head_plain(head: ConfigDict) -> str:
    """Name a head of MMSeg's in place; the source of the head if MMSeg has none."""
    kind = EXPORTED.get(head.type) or MODELS.get(head.type)
    if issubclass(kind, ProjectionMixin):
        kind = kind.__mro__[kind.__mro__.index(ProjectionMixin) + 1]
        for key in ("projection", "tap"):
            head.pop(key, None)
    head.type = kind.__name__
    if kind in OURS:
        head.type = f"Exported{kind.__name__}"
        return head_definition(kind)
    return ""


def check_parts(model: ConfigDict) -> None:
    """Check that MMSeg has every part of a plain model, or the config defines it.

    Raises:
        ValueError: One is of another package.
    """
    parts = [("segmentor", model)]
    for place in ("backbone", "neck", "decode_head", "auxiliary_head"):
        parts += [(place, part) for part in _listed(model.get(place))]
    for place, part in parts:
        kind = MODELS.get(part.type) if isinstance(part.type, str) else part.type
        if part.type not in EXPORTED and not kind.__module__.startswith(KNOWN):
            raise ValueError(
                f"the {place} {kind.__name__} is not MMSeg's, so that no plain config names it; it has to travel with "
                "the model as a custom import"
            )


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
    given = cfg.test_dataloader.dataset
    datasets: list[Any] = list(dataset_configs(given)) or [given]  # within a ConcatDataset, say
    transforms = [TRANSFORMS.get(step["type"]) for dataset in datasets for step in dataset.get("pipeline", [])]
    ours = sorted({transform.__name__ for transform in transforms if _is_ours(transform)})
    readable = not ours
    ours += sorted({fault for dataset in datasets if (fault := _cannot_be_plain(dataset))})
    if ours:
        for key in ("test_pipeline", "test_dataloader", "test_evaluator", "test_cfg"):
            cfg.pop(key, None)
        if not readable:
            return [
                f"the config has neither test data nor a test pipeline, since MMSeg lacks {', '.join(ours)}: add both, "
                "and do to the images what those transforms do"
            ]
        cfg.test_pipeline = [step for step in datasets[0].pipeline if step["type"] != "LoadAnnotations"]
        cfg.test_dataloader = dict(batch_size=1, dataset=dict(type="BaseSegDataset", pipeline=cfg.test_pipeline))
        return [
            f"the config predicts, but has no data to evaluate on, since MMSeg lacks {', '.join(ours)}: for MMSeg's "
            "a test add data that it can read"
        ]
    for dataset in datasets:
        _name_mmsegs(dataset)
    return []


def _cannot_be_plain(dataset: ConfigDict) -> str | None:
    """A class of ours and what it does that none of MMSeg's does, in words."""
    kind = DATASETS.get(dataset.type)
    if not _is_ours(kind):
        return None
    if kind.get_label_map.__func__ is not BaseSegDataset.get_label_map.__func__:
        return f"{kind.__name__}, which maps label values itself"
    if "ann_file" in dataset and not getattr(kind, "METAINFO", None):
        return f"{kind.__name__}, which reads its list itself"
    return None


def _name_mmsegs(dataset: ConfigDict) -> None:
    """Name MMSeg's class instead of ours, in place."""
    kind = DATASETS.get(dataset.type)
    if not _is_ours(kind):
        return
    for key, parameter in inspect.signature(kind.__init__).parameters.items():
        if key in ("img_suffix", "seg_map_suffix", "reduce_zero_label"):
            dataset.setdefault(key, parameter.default)
    dataset.type = "BaseSegDataset"
    if "metainfo" not in dataset:
        dataset.metainfo = dict(classes=kind.METAINFO["classes"], palette=kind.METAINFO["palette"])


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
