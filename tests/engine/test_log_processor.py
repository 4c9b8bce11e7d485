"""What the log remembers."""

from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from mmseg_css.engine import ForgettingLogProcessor


def logged(processor: ForgettingLogProcessor, iterations: int) -> tuple[list[dict], MessageHub]:
    """What is logged every 5 iterations, where the loss of iteration i is i (from 1)."""
    hub = MessageHub("forgetting")
    runner = SimpleNamespace(message_hub=hub, max_iters=iterations, _train_loop=None)
    tags = []
    for iteration in range(iterations):
        runner.iter = iteration
        hub.update_scalar("train/loss", iteration + 1.0)
        hub.update_scalar("train/lr", 0.1)
        hub.update_scalar("val/mIoU", 50.0)
        if (iteration + 1) % 5 == 0:
            tags.append(processor.get_log_after_iter(runner, iteration, "train")[0])
    return tags, hub


@pytest.mark.parametrize(
    ("custom", "expected"),
    [
        ([], None),
        ([dict(data_src="loss", log_name="long", method_name="mean", window_size=12)], 94.5),  # of 89 to 100
        ([dict(data_src="loss", log_name="long", method_name="mean", window_size="global")], 50.5),
        ([dict(data_src="loss", log_name="long", method_name="min", window_size="global")], 1.0),
    ],
)
def test_every_window_sees_what_it_would(custom: list[dict], expected: float | None) -> None:
    tags, _ = logged(ForgettingLogProcessor(window_size=10, by_epoch=False, custom_cfg=custom), 100)
    assert tags[-1]["loss"] == 95.5  # the mean of 91 to 100
    assert tags[-1]["lr"] == 0.1
    assert tags[-1].get("long") == expected


def test_the_rest_is_forgotten() -> None:
    _, hub = logged(ForgettingLogProcessor(window_size=10, by_epoch=False), 100)
    values, counts = hub.log_scalars["train/loss"].data
    assert values.tolist() == list(range(91, 101))
    assert len(counts) == 10
    assert len(hub.log_scalars["val/mIoU"].data[0]) == 100
