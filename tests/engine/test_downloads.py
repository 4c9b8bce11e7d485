"""Without internet, a config that fetches weights says what to do."""

from urllib.error import URLError

import pytest
from huggingface_hub.utils import LocalEntryNotFoundError
from mmengine.config import Config

from mmseg_css.engine.downloads import downloads_explained, without_downloads

URL = "https://example.org/weights.pth"


def test_the_setting_is_named() -> None:
    pretrained = {"type": "Pretrained", "checkpoint": URL}
    model = {"segmentor": {"backbone": {"init_cfg": pretrained}, "neck": [{"init_cfg": {"type": "Normal"}}]}}
    cfg = Config({"model": model}, format_python_code=False)
    told = rf"\(no route\): model\.segmentor\.backbone\.init_cfg\.checkpoint='{URL}'\. Fetch the file"
    with pytest.raises(ConnectionError, match=told), downloads_explained(cfg):
        raise URLError("no route")


def test_a_network_of_timm_is_named() -> None:
    model = {"segmentor": {"backbone": {"type": "TIMMBackbone", "model_name": "xception65", "pretrained": True}}}
    cfg = Config({"model": model}, format_python_code=False)
    told = (
        r"\(model\.segmentor\.backbone\.pretrained=True, xception65\)\. Build that network once where there is internet"
    )
    with pytest.raises(ConnectionError, match=told), downloads_explained(cfg):
        raise LocalEntryNotFoundError("no file, and no internet")


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="another"), downloads_explained(Config({"model": {}})):
        raise ValueError("another")


@pytest.mark.parametrize("asked", [{"pretrained": True}, {}, {"pretrained": False}])
def test_nothing_is_fetched_where_a_checkpoint_follows(asked: dict) -> None:
    model = {"type": "CSS", "segmentor": {"backbone": {"type": "TIMMBackbone", **asked}, "neck": [{"type": "FPN"}]}}
    cfg = Config({"model": model}, format_python_code=False)
    without_downloads(cfg.model)
    assert cfg.model.segmentor == {"backbone": {"type": "TIMMBackbone", "pretrained": False}, "neck": [{"type": "FPN"}]}
