"""All methods in the small; a new one is one line of `WRITTEN`."""

from typing import Any

import torch
from mmengine.config import ConfigDict
from torch import Tensor

from mmseg_css.models import SemiSegmentor
from mmseg_css.models.segmentors import Progress
from mmseg_css.registry import MODELS
from tests.models.helpers import NUM_CLASSES, PREPROCESSOR, css_config, read_segmentor, tiny_segmentor
from tests.models.methods.documented import register
from tests.models.test_pc2seg import pc2seg_config

# Networks of a few weights are sure of nothing.
LOSS = {"type": "MaskedPseudoLabelLoss", "threshold": 0.0}
LEARN = {"augmentation": {"type": "StrongView"}, "pseudo_label_loss": LOSS}
CROSS = {"pseudo_label_loss": {**LOSS, "loss_weight": 1.5}}
TEACHER = {"decay": 0.996, "mode": "eval", "buffers": "average"}
BASELINES: dict[str, dict] = {
    "fixmatch": {"type": "FixMatch", **LEARN},
    "mean_teacher": {"type": "FixMatch", "labeller": "teacher", "teacher": TEACHER, **LEARN},
    "unimatch": {"type": "UniMatch", **LEARN},
    "unimatch_v2": {"type": "UniMatchV2", "teacher": TEACHER, **LEARN},
    "cps": {"type": "CPS", **CROSS},
    "cps_cutmix": {"type": "CPS", **CROSS, "augmentation": {"type": "StrongView", "boxes": "three"}},
}
register()
#: Settings that change the passes.
APART: dict[str, dict] = {
    "fixmatch_apart": {**BASELINES["fixmatch"], "statistics": "apart"},
    "unimatch_apart": {**BASELINES["unimatch"], "statistics": "apart"},
}
#: Yours: whatever does not need to be known of a method is tested of it.
WRITTEN: dict[str, dict] = {
    "entropy": {"type": "EntropyMinimisation"},
}
#: Those of `WRITTEN` that draw noise of their own. Processes draw apart: two cannot do what one does.
NOISY: set[str] = set()
#: Those that label no image.
UNLABELLING = {"entropy"}
#: What those of `WRITTEN` require beside the hooks of the base.
OWN_HOOKS: dict[str, set[str]] = {}
AIDED = css_config(
    augmentation={"type": "StrongAugmentation", "labeled_share": 0.5}, pseudo_label_loss=LOSS, confidence_decay=0.97
)
METHODS = {**BASELINES, **APART, "css": css_config(), "aided_css": AIDED, "pc2seg": pc2seg_config(), **WRITTEN}
#: Those whose heads are ordinary.
PLAIN = {method: own for method, own in {**BASELINES, **WRITTEN}.items() if "segmentor" not in own}


def plain_segmentor(**head: Any) -> dict:
    """With an ordinary head."""
    segmentor = tiny_segmentor(**{"type": "DeepLabV3PlusHead", **head})
    del segmentor["decode_head"]["projection"]
    return segmentor


def config(method: str, **changes: Any) -> ConfigDict:
    """A method with a tiny network, of the head that it needs; ``head`` changes that."""
    own = METHODS[method]
    head = changes.pop("head", {})
    segmentor = plain_segmentor(**head)
    if "segmentor" in own:  # of a contrast
        segmentor = {**own["segmentor"], "decode_head": {**own["segmentor"]["decode_head"], **head}}
    return ConfigDict({"data_preprocessor": PREPROCESSOR, **own, "segmentor": segmentor, **changes})


def build(method: str, **changes: Any) -> SemiSegmentor:
    """Initialised and in training mode."""
    torch.manual_seed(0)
    model = MODELS.build(config(method, **changes))
    model.init_weights()
    return model.train()


def reading_config(method: str, num_classes: int = NUM_CLASSES, **changes: Any) -> ConfigDict:
    """One of `PLAIN` whose network is a classifier of single pixels: image channels in, logits out."""
    segmentor = read_segmentor(num_classes)
    segmentor["decode_head"].update(type="PlainHead", in_channels=num_classes, channels=num_classes)
    del segmentor["decode_head"]["projection"]
    own = {"data_preprocessor": PREPROCESSOR, **PLAIN[method], "segmentor": segmentor}
    return ConfigDict({**own, **changes})


def networks_of(model: SemiSegmentor) -> list[torch.nn.Module]:
    """Those that train."""
    return [getattr(model, name) for name in ("student", "peer") if hasattr(model, name)]


def step_at(model: SemiSegmentor, batch: tuple[dict, dict], seed: int = 0, iteration: int = 0) -> dict[str, Tensor]:
    """Losses of one iteration, which leave nothing in the prototypes."""
    model.progress = Progress(iteration, 100, seed)
    losses = model.loss(*batch)
    for bank in getattr(model, "banks", ()):
        bank.discard()
    return losses
