"""Scores of images of a network that says of each pixel which channel is the largest."""

import copy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmseg_css.deployment import Predictor
from mmseg_css.deployment.suggestion.scoring import look, one_side_of, probabilities_of, seen_of, vector_of
from mmseg_css.models.segmentors.decoding import labels_of
from tests.deployment.prediction.conftest import noise, write
from tests.deployment.prediction.networks import META, css, reading, save

WEIGHTS = torch.tensor([1.0, 2.0, 50.0])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    trained = save(tmp_path_factory.mktemp("reading"), reading())
    return Predictor(trained.config, trained.checkpoint, device="cpu")


def logits(image: np.ndarray) -> torch.Tensor:
    """What the network says of each pixel of an image."""
    return 4 * (torch.from_numpy(image).double() - 127.5) / 127.5


def test_scores_are_means_over_the_pixels_of_the_image_and_not_over_its_padding(reader: Predictor) -> None:
    """12 x 10 pixels are padded to 32 x 32."""
    image = noise(0)
    scores, vector = seen_of(reader, reader.prepare(image), WEIGHTS)
    shares = logits(image).softmax(-1)
    assert scores["rare"] == pytest.approx((shares * WEIGHTS).sum(-1).mean().item(), rel=1e-4)
    entropy = -(shares * shares.log()).sum(-1).mean() / np.log(3)
    assert scores["entropy"] == pytest.approx(entropy.item(), rel=1e-4)
    assert [*scores] == ["rare", "views", "entropy"]
    mean = (logits(image) / 4).mean((0, 1))
    assert torch.allclose(vector.double(), mean / mean.norm(), atol=1e-4)


def test_a_network_that_looks_at_pixels_alone_says_the_same_of_the_mirror_image(reader: Predictor) -> None:
    assert seen_of(reader, reader.prepare(noise(1, 40, 36)), WEIGHTS)[0]["views"] == 0


@pytest.mark.parametrize(
    ("classes", "columns"), [(("sky", "grass", "brick"), [4, 6, 8]), (("body", "left arm", "right arm"), [4, 8])]
)
def test_a_network_that_is_not_symmetric_says_something_else_of_the_mirror_image(
    classes: tuple[str, ...], columns: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sees everything a column to the right: columns 5 and 7 at 6 and 8, in the mirror at 4 and 6.

    So it says two things of column 6, which are one where a mirror exchanges the two classes.
    """
    trained = save(tmp_path, reading(), meta={"dataset_meta": {**META["dataset_meta"], "classes": classes}})
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    monkeypatch.setattr(predictor.network, "extract_feat", lambda images: (images.roll(1, -1),))
    image = np.zeros((32, 32, 3), np.uint8)
    for column, channel in enumerate([0] * 5 + [1, 0, 2] + [0] * 24):
        image[:, column, channel] = 255
    scores, _ = seen_of(predictor, predictor.prepare(image), WEIGHTS)
    assert scores["views"] == pytest.approx(len(columns) / 32)


def test_a_mirror_exchanges_left_and_right() -> None:
    classes = ["left arm", "hat", "right arm", "right leg", "left leg"]
    assert one_side_of(classes).tolist() == [0, 1, 0, 4, 4]


def test_a_single_output_decides_by_the_threshold_of_its_head() -> None:
    probabilities = torch.tensor([0.8, 0.65, 0.4]).reshape(1, 1, 1, 3)
    probabilities = torch.cat([probabilities, 1 - probabilities], dim=1)
    for outputs, expected in ((1, [0, 1, 1]), (2, [0, 0, 1])):
        head = SimpleNamespace(out_channels=outputs, threshold=0.3)
        assert labels_of(probabilities, head).flatten().tolist() == expected


def test_the_last_head_of_a_cascade_decides(reader: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = seen_of(reader, reader.prepare(noise(1, 32, 32)), WEIGHTS)[0]
    cascade = copy.deepcopy(reader.network)
    cascade.decode_head = torch.nn.ModuleList([cascade.decode_head])
    monkeypatch.setattr(reader, "network", cascade)
    assert seen_of(reader, reader.prepare(noise(1, 32, 32)), WEIGHTS)[0] == alone


def test_red_images_show_the_rare_class(reader: Predictor) -> None:
    images = [np.zeros((8, 8, 3), np.uint8) for _ in range(3)]
    for channel, image in enumerate(images):
        image[..., channel] = 255
    scores = [seen_of(reader, reader.prepare(image), WEIGHTS)[0] for image in images]
    assert [own["rare"] for own in scores] == pytest.approx([1, 2, 50], rel=0.02)


def test_two_spaces_disagree_where_their_labels_differ(tmp_path: Path) -> None:
    trained = save(tmp_path, css())
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    bank = predictor.model.bank
    prepared = predictor.prepare(noise(2, 32, 32))
    assert seen_of(predictor, prepared, WEIGHTS)[0]["spaces"] == 0  # no class has a prototype, and nothing is said
    bank.seen[0] = True
    bank.prototypes[0] = 1.0
    size = predictor.model.inspect(predictor.whole(prepared).images, (32, 32)).logits.shape[2:]
    label = predictor.model.inspect(predictor.whole(prepared).images, tuple(size)).sources["logit"].label
    expected = (label != 0).float().mean().item()
    assert seen_of(predictor, prepared, WEIGHTS)[0]["spaces"] == pytest.approx(expected)


def test_what_cannot_be_read_is_named_and_the_rest_seen(reader: Predictor, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{seed}.png", noise(seed)) for seed in range(3)]
    paths[1].write_bytes(paths[1].read_bytes()[:40])
    seen = look(reader, paths, WEIGHTS, "images")
    assert seen.indices == [0, 2] and len(seen.scores) == len(seen.vectors) == 2
    [fault] = seen.faults
    assert str(paths[1]) in fault


def test_one_output_is_the_second_of_two_classes() -> None:
    found = probabilities_of(torch.tensor([0.0, 30.0]).reshape(1, 1, 1, 2))
    assert found.flatten().tolist() == pytest.approx([0.5, 0.0, 0.5, 1.0])


def test_a_class_token_beside_the_map_is_left_aside() -> None:
    maps, valid = torch.tensor([[[[3.0, 9.0]], [[4.0, 9.0]]]]), torch.tensor([[[True, False]]])
    for features in ([maps], [(maps, torch.zeros(1, 2))]):
        assert vector_of(features, valid).tolist() == pytest.approx([0.6, 0.8])
