"""MMSeg's decode heads in the small, each in a segmentor that a method is given as its student."""

from typing import Any, Final

from mmseg_css.models.heads import ProjectionMixin
from mmseg_css.registry import MODELS
from tests.models.helpers import EMBEDDING, NORM, NUM_CLASSES

WHOLE: Final = {"mode": "whole"}
CE: Final = {"type": "CrossEntropyLoss"}
#: DDRHead and PIDHead leave ignored pixels to their loss.
OHEM: Final = {"type": "OhemCrossEntropy", "min_kept": 10}
#: Two maps of `TinyBackbone`, or the deeper one.
BOTH: Final = {"in_channels": [8, 8], "in_index": [0, 1]}
DEEP: Final = {"in_channels": 8, "in_index": 1}
FCN: Final = {"type": "FCNHead", "num_convs": 1, "concat_input": False, **DEEP}

UPDATE: Final = {
    "type": "KernelUpdateHead",
    "num_classes": NUM_CLASSES,
    "num_heads": 2,
    "feedforward_channels": 8,
    "in_channels": 8,
    "out_channels": 8,
    "conv_kernel_size": 1,
    "feat_transform_cfg": {"conv_cfg": {"type": "Conv2d"}, "act_cfg": None},
    "kernel_updator_cfg": {
        "type": "KernelUpdator",
        "in_channels": 8,
        "feat_channels": 8,
        "out_channels": 8,
        "act_cfg": {"type": "ReLU", "inplace": True},
        "norm_cfg": {"type": "LN"},
    },
}
SMALL: Final = {"channels": 8, "num_classes": NUM_CLASSES, "norm_cfg": NORM, "loss_decode": CE}

#: Settings of each of MMSeg's heads; what they share is in `SMALL`.
HEADS: Final[dict[str, dict[str, Any]]] = {
    "ANNHead": {**BOTH, "project_channels": 4, "key_pool_scales": (1, 2)},
    "APCHead": {**DEEP, "pool_scales": (1, 2)},
    "ASPPHead": {**DEEP, "dilations": (1, 2)},
    "CCHead": DEEP,
    "DAHead": {**DEEP, "pam_channels": 4},
    "DDRHead": {"in_channels": 32, "loss_decode": [OHEM, OHEM]},
    "DMHead": {**DEEP, "filter_sizes": (1, 3)},
    "DNLHead": DEEP,
    "DPTHead": {
        "in_channels": (8, 8, 8, 8),
        "in_index": (0, 1, 2, 3),
        "input_transform": "multiple_select",
        "embed_dims": 8,
        "post_process_channels": [8, 8, 8, 8],
    },
    "DepthwiseSeparableASPPHead": {**DEEP, "dilations": (1, 2), "c1_in_channels": 8, "c1_channels": 4},
    "DepthwiseSeparableFCNHead": {**DEEP, "dw_act_cfg": None},
    "EMAHead": {**DEEP, "ema_channels": 8, "num_bases": 4, "num_stages": 1},
    "EncHead": {**BOTH, "num_codes": 4},
    "FCNHead": DEEP,
    "FPNHead": {**BOTH, "feature_strides": [4, 8]},
    "GCHead": DEEP,
    "ISAHead": {**DEEP, "isa_channels": 4, "down_factor": (2, 2)},
    "IterativeDecodeHead": {
        "num_stages": 1,
        "kernel_update_head": [UPDATE],
        "kernel_generate_head": {**FCN, **SMALL},
    },
    "LRASPPHead": {
        "in_channels": (8, 8, 8),
        "in_index": (0, 0, 0),
        "branch_channels": (4, 8),
        "input_transform": "multiple_select",
    },
    "LightHamHead": {**BOTH, "ham_channels": 8, "ham_kwargs": {"MD_R": 4}},
    "NLHead": DEEP,
    "PIDHead": {"in_channels": 16, "loss_decode": [CE, OHEM, {"type": "BoundaryLoss"}, OHEM]},
    "PSAHead": {**DEEP, "mask_size": (4, 4)},
    "PSPHead": {**DEEP, "pool_scales": (1, 2)},
    "SETRMLAHead": {"in_channels": (8, 8), "in_index": (1, 1), "mla_channels": 4},
    "SETRUPHead": DEEP,
    "SegformerHead": BOTH,
    "SegmenterMaskTransformerHead": {
        **DEEP,
        "num_layers": 1,
        "num_heads": 2,
        "embed_dims": 8,
        "norm_cfg": {"type": "LN"},
    },
    "UPerHead": {**BOTH, "pool_scales": (1, 2)},
}
#: Second heads of a cascade whose first is an FCN.
CASCADED: Final[dict[str, dict[str, Any]]] = {
    "OCRHead": {**DEEP, "ocr_channels": 4},
    "PointHead": {"in_channels": [8], "in_index": [0], "num_fcs": 1, "coarse_pred_each_layer": True},
}
BACKBONES: Final = {
    "DDRHead": {"type": "DDRNet", "in_channels": 3, "channels": 8, "ppm_channels": 8},
    "DPTHead": {
        "type": "VisionTransformer",
        "img_size": 64,
        "patch_size": 16,
        "embed_dims": 8,
        "num_layers": 4,
        "num_heads": 2,
        "out_indices": (0, 1, 2, 3),
        "output_cls_token": True,
    },
    "PIDHead": {"type": "PIDNet", "channels": 4, "ppm_channels": 8, "num_stem_blocks": 1, "num_branch_blocks": 1},
}


def segmentor_of(name: str, projection: bool = False, **changes: Any) -> dict[str, Any]:
    """A segmentor with this head, with a projection branch of a class derived from it if asked for."""
    own = {**(CASCADED | HEADS)[name], **changes}
    head = {"type": name, **({} if name == "IterativeDecodeHead" else SMALL), **own}
    if projection:
        head["type"] = projecting(name)
        head["projection"] = {"type": "ProjectionBranch", "channels": EMBEDDING, "hidden": 8}
    if name in CASCADED:
        return {
            "type": "CascadeEncoderDecoder",
            "num_stages": 2,
            "backbone": {"type": "TinyBackbone"},
            "decode_head": [{**FCN, **SMALL}, head],
            "test_cfg": WHOLE,
        }
    return {
        "type": "EncoderDecoder",
        "backbone": BACKBONES.get(name, {"type": "TinyBackbone"}),
        "decode_head": head,
        "test_cfg": WHOLE,
    }


def projecting(name: str) -> str:
    """As docs/methods.md says that one does it."""
    own = f"Tested{name}"
    if own not in MODELS.module_dict:
        MODELS.register_module(name=own)(type(own, (ProjectionMixin, MODELS.get(name)), {}))
    return own
