"""From features to logits: through one head or a cascade, of a map or of a map among others that only a loss reads."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from jaxtyping import Float, Int
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import CascadeEncoderDecoder, EncoderDecoder
from torch import Tensor, nn

from mmseg_css.datasets.checks import check_ignored_value
from mmseg_css.registry import MODELS

#: MMSeg's heads that give several outputs in training, and which of them predicts.
PREDICTS: Final = {"DAHead": 0, "EncHead": 0, "DDRHead": 0, "PIDHead": 1, "IterativeDecodeHead": -1}
#: MMSeg's heads of which no method can have logits for every pixel, and why.
WITHOUT_LOGITS: Final = {
    "PointHead": "predicts at sampled points in training, and not at every pixel",
    "MaskFormerHead": "learns masks of queries, and not classes of pixels",
    "Mask2FormerHead": "learns masks of queries, and not classes of pixels",
    "SideAdapterCLIPHead": "learns masks of queries, and not classes of pixels",
    "VPDDepthHead": "predicts depths, and not classes",
    "STDCHead": "learns boundaries, and belongs into auxiliary_head",
}
REMEDY: Final = "docs/compatibility.md lists what works: take one of these, UPerHead say, in an EncoderDecoder"


class Decoded(NamedTuple):
    """What the heads of a network give.

    Both in float32 also under autocast: thresholds like 0.97 need more than the 8 bits of bfloat16. ``outputs`` are
    what each head's own loss takes.
    """

    logits: Float[Tensor, "b k h w"]
    outputs: list[Any]


def heads_of(network: EncoderDecoder) -> list[Any]:
    """The decode heads, of which the last one predicts."""
    head = network.decode_head
    return list(head) if isinstance(head, nn.ModuleList) else [head]


def labels_of(probabilities: Float[Tensor, "*b k h w"], head: Any) -> Int[Tensor, "*b h w"]:
    """The class of each pixel, as the head that predicts decides: of a single output by its threshold."""
    if head.out_channels == 1:
        return (probabilities.select(-3, 1) > head.threshold).long()
    return probabilities.argmax(dim=-3)


def decode(network: EncoderDecoder, features: list[Tensor]) -> Decoded:
    """A pass of the decode heads, each of which is given the output of the one before."""
    outputs: list[Any] = []
    for head in heads_of(network):
        output = head(features, *outputs[-1:])
        outputs.append(output.float() if isinstance(output, Tensor) else tuple(map(Tensor.float, output)))
    return Decoded(_predicting(head, outputs[-1]), outputs)


def logits_of(network: EncoderDecoder, images: Float[Tensor, "b c H W"]) -> Float[Tensor, "b k h w"]:
    """What a network says of images."""
    return decode(network, network.extract_feat(images)).logits


def _predicting(head: nn.Module, output: Any) -> Tensor:
    if isinstance(output, Tensor):
        return output
    for kind in _kinds(head) & PREDICTS.keys():
        return output[PREDICTS[kind]]
    raise TypeError(
        f"model.segmentor.decode_head is a {type(head).__name__}, which gives {len(output)} outputs, and nothing says "
        "which of them predicts: let its forward give the logits alone"
    )


def _kinds(module: nn.Module) -> set[str]:
    return _names(type(module))


def _names(kind: Any) -> set[str]:
    return {base.__name__ for base in getattr(kind, "__mro__", ())}


def check_segmentor(config: Mapping[str, Any], place: str = "model.segmentor") -> None:
    """Check, before it is built, that a method can have of a segmentor what it needs: logits for every pixel.

    Args:
        config: Of the segmentor.
        place: The key of a config file under which it is.

    Raises:
        TypeError: It is no such segmentor, or its head no such head.
    """
    kind = _kind(config)
    if kind is None:  # building it says what is near
        return
    if "EncoderDecoder" not in (names := _names(kind)) or names & {"MultimodalEncoderDecoder", "DepthEstimator"}:
        raise TypeError(
            f"{place} is a {kind.__name__}, of which no method has logits of classes for every pixel. {REMEDY}"
        )
    for head in _heads(config):
        for name in _names(_kind(head)) & WITHOUT_LOGITS.keys():
            raise TypeError(f"{place}.decode_head is a {name}, which {WITHOUT_LOGITS[name]}. {REMEDY}")


def check_passes(config: Mapping[str, Any]) -> None:
    """Check, before it is built, that a segmentor and its heads learn and predict as MMSeg's do.

    A method passes the heads itself, and adds the losses that their ``loss_by_feat`` gives: what a class of one's own
    does elsewhere would be missing, and not in the supervised training that it is compared with.

    Raises:
        TypeError: They do not.
    """
    segmentors, heads = (EncoderDecoder, CascadeEncoderDecoder), (BaseDecodeHead, BaseCascadeDecodeHead)
    _check_kept("model.segmentor", config, segmentors, ("loss", "_decode_head_forward_train", "encode_decode"))
    for head in _heads(config):
        _check_kept("model.segmentor.decode_head", head, heads, ("loss",))


def _check_kept(place: str, config: Mapping[str, Any], bases: Sequence[type], names: Sequence[str]) -> None:
    """Refuse a class whose functions of these names are none of those of MMSeg's ``bases``."""
    kind = _kind(config)
    for name in names:
        if kind is not None and getattr(kind, name, None) not in [getattr(base, name) for base in bases]:
            raise TypeError(
                f"{place} is a {kind.__name__}, which has a {name} of its own, and a method calls none: it passes the "
                "heads itself and adds what loss_by_feat of each gives. Move what is yours into forward or "
                "loss_by_feat of a decode head, or into an auxiliary head"
            )


def _heads(config: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    head = config.get("decode_head", {})
    return head if isinstance(head, list | tuple) else [head]


def check_model(model: Mapping[str, Any]) -> None:
    """The same of the ``model`` of a config: a method, or a segmentor by itself."""
    if "segmentor" in model:
        check_segmentor(model["segmentor"])
    else:
        check_segmentor(model, "model")


def _kind(config: Mapping[str, Any]) -> Any:
    return MODELS.get(kind) if isinstance(kind := config.get("type"), str) else kind


def check_outputs(network: EncoderDecoder, place: str = "model.segmentor") -> None:
    """Check that every head of a network, at this key of a config, has one output for each class.

    Raises:
        ValueError: One has not.
    """
    for index, head in enumerate(heads := heads_of(network)):
        which = f"{place}.decode_head{f'[{index}]' if len(heads) > 1 else ''}"
        if head.out_channels != head.num_classes or head.num_classes < 2:
            raise ValueError(
                f"{which} has num_classes={head.num_classes} and out_channels={head.out_channels}; "
                "pseudo-labels need one output for each class. For binary segmentation set "
                "num_classes=2, out_channels=2."
            )


def check_ignored_values(network: EncoderDecoder, data_preprocessor: nn.Module) -> None:
    """Padding must be ignored, by every head: contrast and prototypes would take it for a class.

    Raises:
        ValueError: A head ignores another value, or padding has one.
    """
    others = {
        f"model.segmentor.{name}.ignore_index": module.ignore_index
        for name, module in network.named_modules()
        if isinstance(module, BaseDecodeHead) and hasattr(module, "ignore_index")
    }
    if hasattr(data_preprocessor, "seg_pad_val"):
        others["model.data_preprocessor.seg_pad_val"] = data_preprocessor.seg_pad_val
    check_ignored_value(heads_of(network)[-1].ignore_index, "model.segmentor.decode_head.ignore_index", others)


def check_one_map(network: EncoderDecoder) -> None:
    """Check that the head of a network gives one map, beside which its projection branch can give another.

    Raises:
        TypeError: There are several heads, or several outputs.
    """
    if len(heads := heads_of(network)) > 1:
        raise TypeError(
            f"model.segmentor is a {type(network).__name__} of {len(heads)} heads, and a contrast reads embeddings of "
            "one: take an EncoderDecoder whose head has a projection branch (UPerProjectionHead, say), or a method "
            "without contrast (FixMatch, say), which trains cascades of OCRHead"
        )
    [head] = heads
    for kind in _kinds(head) & PREDICTS.keys():
        raise TypeError(
            f"model.segmentor.decode_head is a {kind}, which gives several outputs, and a contrast reads embeddings "
            "beside one: take another head with a projection branch (UPerProjectionHead, say), or a method without "
            "contrast (FixMatch, say), which trains it"
        )


def check_maps(network: EncoderDecoder) -> None:
    """Check that the features of a network are maps, of which channels can be dropped.

    Raises:
        TypeError: Its head wants class tokens beside them.
    """
    for head in heads_of(network):
        if "DPTHead" in (kinds := _kinds(head)) and "MapDPTHead" not in kinds:
            raise TypeError(
                f"model.segmentor.decode_head is a {type(head).__name__}, which wants a class token beside each map, "
                "and UniMatch drops channels of maps: take MapDPTHead, and output_cls_token=False in the backbone"
            )
