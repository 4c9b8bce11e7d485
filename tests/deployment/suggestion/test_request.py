"""What is asked for fits the images and the network."""

from pathlib import Path

import pytest

from mmseg_css.deployment.labelled import check_classes
from mmseg_css.deployment.suggestion.request import Request, suggest

ASKED = Request(config=Path("c.py"), checkpoint="some.pth", budget=1, out=Path("out"))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("sky", "road", "car"), "it has 3, and the labelled images 2"),
        (("class_0", "class_1", "class_2"), "it has 3, and the labelled images 2"),
        (("sky", "street"), "class 1 is 'street' there and 'road' here"),
    ],
)
def test_other_classes_are_refused(names: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValueError, match=f"some.pth was trained with other classes than c.py has: {told}"):
        check_classes(names, ("sky", "road"), "some.pth", "c.py")


@pytest.mark.parametrize("names", [("sky", "road"), ("class_0", "class_1")])
def test_the_same_classes_and_those_that_no_checkpoint_names_are_taken(names: tuple[str, ...]) -> None:
    check_classes(names, ("sky", "road"), "some.pth", "c.py")


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ('dict(type="EncoderDecoder", decode_head=dict(type="PointHead"))', "model"),
        (
            'dict(type="CSS", segmentor=dict(type="EncoderDecoder", decode_head=dict(type="PointHead")))',
            "model.segmentor",
        ),
    ],
)
def test_networks_without_logits_are_refused(model: str, place: str, tmp_path: Path) -> None:
    (config := tmp_path / "config.py").write_text(f"model = {model}\n")
    with pytest.raises(TypeError, match=f"^{place}.decode_head is a PointHead, which predicts at sampled points"):
        suggest(Request(config=config, checkpoint="some.pth", budget=1, out=tmp_path / "out"))
