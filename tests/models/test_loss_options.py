"""Options of MMSeg's cross-entropy that ours lack: whoever writes one is told which loss has it."""

import pytest
from mmengine.config import Config

from mmseg_css.registry import MODELS
from mmseg_css.typos import explained


@pytest.mark.parametrize("loss", ["PixelCrossEntropyLoss", "OhemCrossEntropyLoss"])
@pytest.mark.parametrize("option", [{"class_weight": [1.0, 2.0]}, {"use_sigmoid": False}, {"avg_non_ignore": True}])
def test_options_of_another_loss(loss: str, option: dict) -> None:
    cfg = Config({"model": {"decode_head": {"loss_decode": {"type": loss, **option}}}})
    [name] = option
    message = (
        f"model.decode_head.loss_decode.{name}: {loss} takes no '{name}'; CrossEntropyLoss does: set its type, "
        "with _delete_=True where one is inherited"
    )
    with pytest.raises(TypeError) as caught, explained(cfg):
        MODELS.build(cfg.model.decode_head.loss_decode)
    assert str(caught.value) == message
    MODELS.build({"type": "CrossEntropyLoss", **option})


def test_a_typo_is_still_one() -> None:
    cfg = Config({"loss": {"type": "PixelCrossEntropyLoss", "loss_wieght": 1.0}})
    with pytest.raises(TypeError, match="did you mean 'loss_weight'"), explained(cfg):
        MODELS.build(cfg.loss)
