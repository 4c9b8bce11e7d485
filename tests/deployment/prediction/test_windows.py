"""Which images go through the network in windows."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import ConfigDict
from mmseg.apis import inference_model, init_model

from mmseg_css.deployment import Predictor
from mmseg_css.deployment.prediction.windows import Mode, Windows
from tests.deployment.prediction.conftest import noise
from tests.deployment.prediction.networks import PIPELINE, save, tiny

WHOLE = ConfigDict(mode="whole")
SLIDE = ConfigDict(mode="slide", crop_size=(769, 769), stride=(513, 513))


@pytest.mark.parametrize(
    ("mode", "own", "size", "expected"),
    [
        ("auto", WHOLE, (64, 96), "whole"),  # not more than twice the crop
        ("auto", WHOLE, (65, 20), "slide"),
        ("auto", WHOLE, (20, 97), "slide"),
        ("whole", WHOLE, (900, 900), "whole"),
        ("whole", SLIDE, (900, 900), "whole"),
        ("slide", WHOLE, (20, 20), "slide"),
        ("auto", SLIDE, (20, 20), "slide"),
    ],
)
def test_rule(mode: Mode, own: ConfigDict, size: tuple[int, int], expected: str) -> None:
    found = Windows(mode=mode, own=own, crop=(32, 48)).test_cfg(*size)
    assert found.mode == expected
    if expected == "slide":
        windows = (SLIDE.crop_size, SLIDE.stride) if own is SLIDE else ((32, 48), (21, 32))
        assert (found.crop_size, found.stride) == windows


def test_without_a_crop_images_are_taken_whole_or_the_config_is_asked_for_one() -> None:
    assert Windows(mode="auto", own=WHOLE, crop=None).test_cfg(9999, 9999).mode == "whole"
    with pytest.raises(ValueError, match="needs the size of the windows"):
        Windows(mode="slide", own=WHOLE, crop=None)
    with pytest.raises(ValueError, match="mode must be one of auto, whole, slide; got 'sliding'"):
        Windows(mode="sliding", own=WHOLE, crop=None)  # type: ignore[arg-type]


def test_large_images_are_predicted_as_mmseg_does_with_that_test_cfg(tmp_path: Path) -> None:
    trained = save(tmp_path, tiny(), test_pipeline=PIPELINE)
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    slide = {"model.test_cfg": {"mode": "slide", "crop_size": (16, 16), "stride": (10, 10)}}
    for image, options in ((noise(0, 64, 40), slide), (noise(1, 32, 32), {})):
        model = init_model(str(trained.config), str(trained.checkpoint), device="cpu", cfg_options=options)
        [found] = predictor.predict([predictor.prepare(image)])
        assert found.slid == bool(options)
        np.testing.assert_array_equal(found.labels, inference_model(model, image).pred_sem_seg.data[0].numpy())


def test_the_size_after_the_pipeline_counts(tmp_path: Path) -> None:
    """Own data whose images are resized to the crop."""
    resize = {"type": "Resize", "scale": (64, 16), "keep_ratio": True}
    trained = save(tmp_path, tiny(), test_dataloader={"dataset": {"pipeline": [PIPELINE[0], resize, PIPELINE[2]]}})
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    [found] = predictor.predict([predictor.prepare(noise(0, 200, 300))])
    assert (found.slid, found.labels.shape) == (False, (200, 300))
