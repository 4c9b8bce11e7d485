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
from mmseg.models import SegDataPreProcessor

from mmseg_css.config_files import read_config
from mmseg_css.deployment.plain_data import is_mmsegs, kind_of, make_dataset_plain
from mmseg_css.deployment.prediction.network import network_of
from mmseg_css.engine.checkpoints import meta_of
from mmseg_css.engine.downloads import without_downloads
from mmseg_css.engine.preprocessing import pipeline_of
from mmseg_css.files import write_bytes, write_text
from mmseg_css.models.data_preprocessor import SemiDataPreprocessor
from mmseg_css.models.heads import DeepLabV3PlusHead, MapDPTHead, ProjectionMixin
from mmseg_css.models.segmentors import SemiSegmentor
from mmseg_css.registry import MODELS

Network = Literal["teacher", "student"]
#: What an evaluation reads of a config, beside the model and the data.
RUNTIME = ("default_scope", "env_cfg", "vis_backends", "visualizer", "log_level", "test_evaluator")
#: Heads that MMSeg has not. Each is alone in its file, which imports only the registry of ours.
OURS = (DeepLabV3PlusHead, MapDPTHead)
#: What they are called in a config that was exported.
EXPORTED = {f"Exported{kind.__name__}": kind for kind in OURS}
#: Preprocessors that do to test images what MMSeg's does.
PREPROCESSORS = (SegDataPreProcessor, SemiDataPreprocessor)
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
        out: path of the result without suffix; in a folder that is there, under the name of ``config``.
        network: which network of a method with a teacher; by default the one that its config predicts with.
        overwrite: replace a config that is there.

    Raises:
        FileExistsError: the config is there already, or is ``config`` itself.
        ValueError: The checkpoint is of another model, the network is not there, or a part of it has no plain form.
    """
    if out.is_dir():
        out = out / config.stem
    written = _free(out.with_name(f"{out.name}.py"), config, overwrite)
    cfg = read_config(config)
    prefixes = network_prefixes(cfg.model)
    prefix = choose_prefix(cfg.model, prefixes, network, config)
    saved = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    loaded, _ = network_of(deepcopy(cfg), saved, checkpoint)  # which explains names that nobody knows
    model, definition = plain_model(cfg.model.segmentor if prefixes else cfg.model)
    check_parts(model)
    model["data_preprocessor"] = plain_preprocessor(cfg.model.data_preprocessor)
    plain, notes = plain_config(cfg, model)
    # MMSeg's functions for inference read the classes there, and `balance` that it was there.
    meta = {"dataset_meta": {**(meta_of(saved).get("dataset_meta") or {}), **loaded.dataset_meta}}
    meta |= {key: value for key, value in meta_of(saved).items() if key == "balance"}
    # The config last: where it is, the next call is refused.
    weights = publish(network_weights(loaded.state_dict(), prefix), meta, out)
    text = plain.pretty_text
    write_text(written, f"{definition}\n\n{text}" if definition else text)
    return Exported(written, weights, notes)


def _free(path: Path, config: Path, overwrite: bool) -> Path:
    if path.exists() and path.samefile(config):  # in its work dir, say
        raise FileExistsError(f"{path} is the CONFIG itself, which is not replaced: name another OUT")
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
    kept = (*RUNTIME, "test_dataloader", "test_cfg")
    plain = Config({key: cfg[key] for key in kept if cfg.get(key) is not None} | {"model": model})
    if pipeline := pipeline_of(cfg):
        plain.test_pipeline = deepcopy(pipeline)  # that of the test data, which MMSeg's inference does not look at
    if pipeline or "test_dataloader" in plain:
        return plain, make_dataset_plain(plain)
    return plain, [f"the config has neither test data nor a test pipeline, as {cfg.filename}: add both"]


def plain_model(segmentor: ConfigDict) -> tuple[ConfigDict, str]:
    """The segmentor's config without what is ours, and the source of its head if MMSeg has no such head."""
    model = ConfigDict(segmentor.to_dict())
    heads = _listed(model.decode_head)
    # Evaluation computes no loss, and ours would not be found.
    for any_head in (*heads, *_listed(model.get("auxiliary_head"))):
        any_head.get("kernel_generate_head", any_head).loss_decode = dict(type="CrossEntropyLoss")
    model.backbone.pop("init_cfg", None)
    without_downloads(model)
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
        if part.type not in EXPORTED and not is_mmsegs(kind := kind_of(MODELS, part)):
            raise ValueError(
                f"the {place} {getattr(kind, '__name__', part.type)} is not MMSeg's, so that no plain config names it; "
                "it has to travel with the model as a custom import"
            )


def plain_preprocessor(config: ConfigDict) -> dict[str, Any]:
    """The same as a config of MMSeg's preprocessor.

    Raises:
        ValueError: It is another one, which may do to images what MMSeg's does not.
    """
    kind = kind_of(MODELS, config)
    if kind not in PREPROCESSORS:
        raise ValueError(
            f"model.data_preprocessor.type = {getattr(kind, '__name__', kind)!r} is not MMSeg's, so that no plain "
            "config names it; it has to travel with the model as a custom import"
        )
    return {**config, "type": SegDataPreProcessor.__name__}


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


def publish(weights: dict[str, torch.Tensor], meta: dict[str, Any], out: Path) -> Path:
    """Write the checkpoint under a name that ends in the beginning of its hash."""
    content = io.BytesIO()
    torch.save({"state_dict": weights, "meta": meta}, content)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    final = out.with_name(f"{out.name}-{digest[:8]}.pth")
    write_bytes(final, content.getvalue())
    return final
