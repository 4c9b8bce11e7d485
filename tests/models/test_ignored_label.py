"""The ignored label may be one of the classes ("do not learn background"): it is then nowhere taken for that class."""

import pytest
import torch
from mmengine.optim import OptimWrapper

from mmseg_css.models.augmentation import StrongAugmentation
from mmseg_css.registry import MODELS
from mmseg_css.types import PseudoLabel, View
from tests.models.helpers import (
    NO_AUGMENTATION,
    PREPROCESSOR,
    css_config,
    random_images,
    samples_of,
    samples_without_masks,
    tiny_segmentor,
)


def css(ignore_index: int = 0, **changes: object):
    torch.manual_seed(0)
    preprocessor = {**PREPROCESSOR, "seg_pad_val": ignore_index}
    segmentor = tiny_segmentor(ignore_index=ignore_index)
    model = MODELS.build(css_config(segmentor=segmentor, data_preprocessor=preprocessor, **changes))
    model.init_weights()
    return model.train()


@pytest.mark.parametrize("ignore_index", [0, 1, 254])
def test_contrast_and_prototypes_leave_it_out(ignore_index: int) -> None:
    model = css(ignore_index, weak_threshold=0.0, augmentation=NO_AUGMENTATION)
    ground_truth = torch.randint(3, (2, 32, 32))
    ground_truth[:, :8] = ignore_index
    loss = model.loss(
        {"labeled": random_images(1, 2, 3, (32, 32)), "unlabeled": random_images(2, 2, 3, (32, 32))},
        {"labeled": samples_of(ground_truth), "unlabeled": samples_without_masks(2, padding=(0, 8, 0, 0))},
    )
    assert all(value.isfinite().all() for value in loss.values())
    model.bank.commit()
    learnt = [label for label in range(3) if label != ignore_index]
    assert model.bank.seen[learnt].all()
    if ignore_index < 3:
        assert not model.bank.seen[ignore_index]
        assert model.diagnostics.anchors[ignore_index] == 0


def test_labels_of_the_contrast_hold_no_ignored_pixel() -> None:
    model = css(0)
    pseudo = PseudoLabel(torch.tensor([[[0, 1, 2, 2]]]), torch.tensor([[[0.9, 0.9, 0.9, 0.1]]]))
    labels = model.contrast_labels(torch.tensor([[[0, 1, 2, 0]]]), pseudo, torch.Size((1, 4)))
    assert [[label if 0 <= label < 3 else None for label in row] for row in labels[:, 0].tolist()] == [
        [None, 1, 2, None],
        [None, 1, 2, None],
    ]


def test_classmix_does_not_choose_it() -> None:
    labels = torch.tensor([[[[0, 0, 0, 5]]]]).expand(2, 1, 1, 4)
    view = View(torch.arange(8.0).reshape(2, 1, 1, 4), labels, torch.ones(2, 1, 1, 4), torch.ones(2, 1, 4).bool())
    augmentation = StrongAugmentation(mixing="classmix")
    mixed = augmentation._mix(view, 6, 0, torch.Generator().manual_seed(0))
    assert mixed.image.flatten().tolist() == [0, 1, 2, 7, 4, 5, 6, 3]  # class 5 alone is pasted


@pytest.mark.parametrize("padding", [255, 1])
def test_padding_with_another_label_is_refused(padding: int) -> None:
    with pytest.raises(ValueError, match=rf"head\.ignore_index=0, but model\.data_preprocessor\.seg_pad_val={padding}"):
        MODELS.build(
            css_config(
                segmentor=tiny_segmentor(ignore_index=0), data_preprocessor={**PREPROCESSOR, "seg_pad_val": padding}
            )
        )


def test_an_auxiliary_head_that_ignores_another_label_is_refused() -> None:
    auxiliary = {"type": "FCNHead", "in_channels": 8, "in_index": 1, "channels": 4, "num_convs": 1, "num_classes": 3}
    segmentor = {**tiny_segmentor(ignore_index=0), "auxiliary_head": auxiliary}
    with pytest.raises(ValueError, match=r"model\.segmentor\.auxiliary_head\.ignore_index=255: "):
        MODELS.build(css_config(segmentor=segmentor, data_preprocessor={**PREPROCESSOR, "seg_pad_val": 0}))


def test_a_step_that_pads() -> None:
    """Images of two sizes in a batch, ignored label 254: the padding is no label that the loss has not heard of."""
    model = css(254)
    sizes = (24, 24), (32, 32)
    batch = {
        part: {
            "inputs": [torch.randint(256, (3, *size), dtype=torch.uint8) for size in sizes],
            "data_samples": [samples_of(torch.randint(3, (1, *size)))[0] for size in sizes],
        }
        for part in ("labeled", "unlabeled")
    }
    optimiser = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    model.present_hooks |= set(model.required_hooks)
    assert torch.isfinite(model.train_step(batch, optimiser)["loss"])
