"""What is said of checkpoints that a config does not belong to."""

from typing import Any

import pytest
from mmengine.config import Config

from mmseg_css.engine.trained_with import notes_on

MODEL: dict[str, Any] = {
    "type": "CSS",
    "strategy": "mix",
    "temperature": 0.5,
    "pseudo_label_loss": {"type": "PseudoLabelLoss", "threshold": 0.9},
    "segmentor": {"backbone": {"out_indices": (1, 3), "init_cfg": {"type": "Pretrained", "checkpoint": "a.pth"}}},
    "data_preprocessor": {"size": (8, 8)},
    "parts": [{"decode.weight": None}, 1e-6],
}


def notes(changes: dict[str, Any], **meta: Any) -> list[str]:
    """Of a checkpoint that was trained with the model and these options."""
    trained = Config({"model": MODEL, "max_iters": 8})
    trained.merge_from_dict(changes)
    return notes_on(Config({"model": MODEL}), {"a.pth": {"iter": 4, "cfg": trained.pretty_text, **meta}})


def test_the_config_of_the_training_needs_no_note() -> None:
    assert notes({}) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model.strategy": "logit"}, "has: model.strategy 'logit' (here 'mix'). What"),
        ({"model.pseudo_label_loss.threshold": 0.5}, "has: model.pseudo_label_loss.threshold 0.5 (here 0.9). What"),
        ({"model.confidence_decay": 0.97}, "has: model.confidence_decay 0.97 (here absent). What"),
        ({"model.segmentor.backbone.out_indices": (0, 3)}, "out_indices.0 0 (here 1). What"),
    ],
)
def test_other_settings_of_the_model_are_named(changes: dict[str, Any], said: str) -> None:
    [note] = notes(changes)
    assert note.startswith("a.pth was trained with other settings than ") and said in note


@pytest.mark.parametrize(
    "changes",
    [
        {"max_iters": 9},
        {"model.segmentor.backbone.init_cfg": None},
        {"model.data_preprocessor.size": (9, 9)},
    ],
)
def test_what_says_nothing_of_a_trained_model_is_passed_over(changes: dict[str, Any]) -> None:
    assert notes(changes) == []


@pytest.mark.parametrize("text", [None, "", "model = print('executed')", "model = dict(", "other = 1"])
def test_what_cannot_be_read_is_neither_executed_nor_compared(
    text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert notes({}, cfg=text) == [] and capsys.readouterr().out == ""


def test_two_seeds_are_no_one_training() -> None:
    metas = {f"{seed}.pth": {"iter": 4, "seed": seed} for seed in (0, 1)}
    assert notes_on(Config({"model": MODEL}), metas) == [
        "The checkpoints are of trainings with seeds 0 and 1: what is drawn over the iterations is not of one training."
    ]


def test_a_checkpoint_without_an_iteration() -> None:
    [note] = notes_on(Config({"model": MODEL}), {"a.pth": {}})
    assert note == "a.pth does not say its iteration: any warm-up is taken to be over."
