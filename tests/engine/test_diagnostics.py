"""What a training writes to look at: losses, anchors, panels of pseudo-labels."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub

from mmseg_css.engine.hooks import DiagnosticsHook
from mmseg_css.models.segmentors import Diagnostics
from mmseg_css.registry import MODELS
from tests.engine.conftest import css_runner


def test_diagnostics_write_anchors_and_a_panel(data: Path) -> None:
    runner = css_runner(data, 4, DiagnosticsHook(log_interval=2, image_interval=3, max_images=2))
    runner.train()
    [log] = (data / "work_dir").rglob("*.log")
    lines = [line for line in log.read_text().splitlines() if "anchors per class and iteration" in line]
    assert len(lines) == 2
    assert "background " in lines[0]
    assert ", thing " in lines[0]
    [scalars] = (data / "work_dir").rglob("scalars.json")
    assert scalars.read_text().count('"anchors/thing"') == 2
    [picture] = (data / "work_dir").rglob("pseudo_labels*.png")
    assert picture.stem == "pseudo_labels_3"
    panel = cv2.imread(str(picture))
    assert panel.shape == (2 * 16 + 4, 3 * 16 + 4, 3)  # two rows of image, pseudo-label, prediction, and a frame
    classes = np.unique(panel[2:-2, 2 + 32 : -2].reshape(-1, 3), axis=0)
    assert set(map(tuple, classes.tolist())) <= {(0, 0, 0), (255, 255, 255)}  # the palette


def test_the_anchors_counted_so_far_outlive_a_resume(data: Path) -> None:
    """Three iterations in one go, and one with two after it: the same mean over all three."""

    def logged(counts: Sequence[int], hub: MessageHub) -> list[dict]:
        added: list[dict] = []
        visualizer = SimpleNamespace(add_scalars=lambda scalars, step: added.append(scalars))
        metainfo = {"classes": ("background", "thing")}
        hook = DiagnosticsHook(log_interval=3, image_interval=100)
        for number in counts:
            iteration = number - 1
            model = SimpleNamespace(diagnostics=Diagnostics(*[torch.zeros(1)] * 3, torch.tensor([0.0, 2.0**number])))
            runner = SimpleNamespace(
                model=model,
                message_hub=hub,
                iter=iteration,
                logger=SimpleNamespace(info=lambda text: None),
                visualizer=visualizer,
                train_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=metainfo)),
            )
            hook.after_train_iter(runner, iteration)
        return added

    whole = logged([1, 2, 3], MessageHub("anchors, whole"))
    killed, resumed = MessageHub("anchors, killed"), MessageHub("anchors, resumed")
    assert logged([1], killed) == []
    resumed.load_state_dict(killed.state_dict())
    assert logged([2, 3], resumed) == whole
    [scalars] = whole
    assert scalars == {"anchors/background": 0.0, "anchors/thing": pytest.approx((2 + 4 + 8) / 3)}


def test_a_panel_of_pseudo_labels_at_the_decoders_stride(data: Path) -> None:
    """PC2Seg's, at a quarter of the image's side."""
    runner = css_runner(data, 1)
    size, small = (16, 16), (4, 4)
    diagnostics = Diagnostics(
        torch.zeros(2, 3, *size),
        torch.tensor([0, 255]).repeat_interleave(16).reshape(2, *small),
        torch.zeros(2, 2, *small),
        torch.zeros(2),
    )
    panel = DiagnosticsHook()._panel(runner, diagnostics)
    assert panel.shape == (2 * 16 + 4, 3 * 16 + 4, 3)
    assert (panel[2 + 16 : -2, 2 + 16 : 2 + 32] == 0).all()  # ignored everywhere in the second image


@pytest.mark.parametrize("turned", [False, True])
def test_a_panel_shows_red_as_red(data: Path, turned: bool) -> None:
    """Whether images are red, green, blue or, as OpenMMLab reads them, blue, green, red."""
    runner = css_runner(data, 1)
    runner.model.data_preprocessor._channel_conversion = turned
    image = torch.full((1, 3, 16, 16), -1.0)
    image[:, 0 if turned else 2] = 1.0
    labels, logits = torch.zeros(1, 16, 16, dtype=torch.long), torch.zeros(1, 2, 16, 16)
    panel = DiagnosticsHook()._panel(runner, Diagnostics(image, labels, logits))
    assert (panel[2:18, 2:18] == (255, 0, 0)).all()


def test_losses_and_shares_are_logged(data: Path) -> None:
    css_runner(data, 1).train()
    [log] = (data / "work_dir").rglob("*.log")
    text = log.read_text()
    for name in (
        "sup.loss_ce",
        "unsup.loss_pseudo_label",
        "unsup.loss_contrast",
        "unsup.kept",
        "unsup.agreement",
        "eta",
    ):
        assert f"{name}: " in text, name


def test_a_panel_of_images_that_nothing_normalised(data: Path) -> None:
    """They are shown as they were read."""
    runner = css_runner(data, 1)
    runner.model.data_preprocessor = MODELS.build({"type": "SemiDataPreprocessor", "size": (16, 16)})
    images = torch.tensor([10.0, 20.0, 300.0])[:, None, None].expand(1, 3, 16, 16)
    nothing = torch.full((1, 16, 16), 255)
    panel = DiagnosticsHook()._panel(runner, Diagnostics(images, nothing, torch.zeros(1, 2, 16, 16), None))
    assert (panel[2:-2, 2 : 2 + 16] == [255, 20, 10]).all()  # RGB, of images that were read as BGR
