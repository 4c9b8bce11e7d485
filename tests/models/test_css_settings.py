"""Settings of CSS that cannot work, in words."""

import pytest

from mmseg_css.registry import MODELS
from tests.models.helpers import build_css, css_config, random_batch, tiny_segmentor


def test_misspelt_keyword_is_an_error() -> None:
    with pytest.raises(TypeError, match="stategy"):
        MODELS.build(css_config(stategy="mix"))
    with pytest.raises(TypeError, match="deacy"):
        MODELS.build(css_config(teacher={"deacy": 0.9}))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("strategy", "model.strategy must be one of mix, cross, logit; got 'wrong'"),
        ("indicator", "model.indicator must be one of similarity, confidence; got 'wrong'"),
        ("teacher_sees", "model.teacher_sees must be one of both, unlabeled; got 'wrong'"),
        ("predict_on", "model.predict_on must be one of teacher, student; got 'wrong'"),
    ],
)
def test_wrong_choice_in_words(key: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MODELS.build(css_config(**{key: "wrong"}))


def test_settings_of_a_plain_segmentor_in_words() -> None:
    MODELS.build(css_config(pretrained=None, train_cfg=None))  # as MMSeg's init_model does
    with pytest.raises(ValueError, match="model.pretrained belongs to the student: move it to model.segmentor"):
        MODELS.build(css_config(pretrained="somewhere.pth"))
    with pytest.raises(ValueError, match="model.test_cfg belongs to the student: move it to model.segmentor.test_cfg"):
        MODELS.build(css_config(test_cfg={"mode": "slide"}))


def test_missing_normalisation_in_words() -> None:
    with pytest.raises(ValueError, match="model.data_preprocessor has no mean and std"):
        MODELS.build(css_config(data_preprocessor={"type": "SemiDataPreprocessor", "size_divisor": 8}))


def test_crops_of_different_size_in_words() -> None:
    model = build_css(augmentation={"type": "StrongAugmentation", "crop": (16, 16)})
    with pytest.raises(ValueError, match=r"\(8, 8\) pixels for labelled and \(4, 4\) for augmented unlabelled images"):
        model.loss(*random_batch())


def test_head_without_a_branch_in_words() -> None:
    segmentor = tiny_segmentor(type="DeepLabV3PlusHead")
    del segmentor["decode_head"]["projection"]
    with pytest.raises(TypeError, match="decode_head is a DeepLabV3PlusHead, which has no projection branch. Use one"):
        MODELS.build(css_config(segmentor=segmentor))


def test_single_output_in_words() -> None:
    with pytest.raises(ValueError, match="num_classes=2 and out_channels=1; .* set num_classes=2, out_channels=2"):
        MODELS.build(css_config(segmentor=tiny_segmentor(num_classes=2, out_channels=1, threshold=0.5)))
