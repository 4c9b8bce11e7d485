"""What a diagnosis looks at is what the method learns from."""

import pytest
import torch

from mmseg_css.deployment.diagnosis.request import as_in_training, prototypes_of, thresholds_of
from tests.models.helpers import batch_of, build_reading_css, random_images, random_labels
from tests.models.methods.helpers import METHODS, TEACHER, UNLABELLING, build, networks_of, step_at

BESIDE_OTHERS = ("fixmatch", "unimatch", "unimatch_apart")
LABELLING = [method for method in METHODS if method not in {*BESIDE_OTHERS, *UNLABELLING}]


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize("method", LABELLING)
def test_labels_are_those_of_the_step(method: str, averaged: bool) -> None:
    """Also where an average of the student predicts, and does not label."""
    changes = {"teacher": TEACHER} if averaged and "teacher" not in METHODS[method] else {}
    model = build(method, head={"dropout_ratio": 0}, **changes)
    if model.teacher is not None:  # as if it had seen other steps
        for weight in model.teacher.model.parameters():
            weight.data.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)))
    images = random_images(2, 2, 3, (32, 32))
    step_at(model, batch_of(random_images(0, 2, 3, (32, 32)), random_labels(1, 2, (32, 32)), images))
    assert model.pseudo_labelled_images is not None, f"{method} labels no image: name it in UNLABELLING"
    used = model.pseudo_labelled_images.labels[-2:, -1]  # of CPS the peer's, which the student learns
    before = [buffer.clone() for network in networks_of(model) for buffer in network.buffers()]
    model.eval()
    with as_in_training(model):
        said = model.inspect(images, tuple(used.shape[1:]))
    assert torch.equal(said.sources[said.looked_at].label, used)
    assert torch.equal(said.sources[said.contrasts].label, used)
    assert (said.supervises is None) == (method == "pc2seg")
    after = [buffer for network in networks_of(model) for buffer in network.buffers()]
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True)) and not model.student.training


@pytest.mark.parametrize("method", BESIDE_OTHERS)
def test_a_batch_that_is_not_there_is_not_made_up(method: str) -> None:
    with pytest.raises(ValueError, match="labels images in a batch with others"), as_in_training(build(method).eval()):
        pass


def test_what_a_loss_learns_from() -> None:
    """That of CSS learns every label and weights images; a masked one leaves out what is not confident."""
    weighted = build("css", pseudo_label_loss={"type": "PseudoLabelLoss", "threshold": 0.9})
    masked = build("css", pseudo_label_loss={"type": "MaskedPseudoLabelLoss", "threshold": 0.9})
    assert [thresholds_of(model)["supervision"] for model in (weighted, masked)] == [0.9, 0.9]
    assert [thresholds_of(model)["learnt"] for model in (weighted, masked)] == [None, 0.9]


def test_thresholds_compare_relative_confidences_and_nothing_else_does() -> None:
    """Of Aided CSS: they are no probabilities, whose calibration could be told."""
    model = build_reading_css(confidence_decay=0.9).eval()
    model.bank.prototypes.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    model.bank.seen.fill_(True)
    model.confidences.prototypes.copy_(torch.tensor([[0.9], [0.6], [0.3]]))
    said = model.inspect(random_images(0, 1, 5, (8, 8)), (8, 8))
    logit = said.sources["logit"]
    assert torch.equal(said.sources["mix"].confidence, logit.confidence)
    assert torch.equal(said.compared("logit"), logit.confidence)
    means = torch.tensor([0.9, 0.6, 0.3])
    own = (said.sources["mix"].label != model.ignore_index) & (logit.label > 0)
    expected = (logit.confidence * 0.9 / means[logit.label]).clamp(max=1)
    assert own.any() and torch.allclose(said.compared("mix")[own], expected[own])
    assert (said.compared("mix")[own] > logit.confidence[own]).all()


def test_no_similarity_exceeds_the_ceiling() -> None:
    """Which is reached beside two opposite prototypes; a class without one has no part in it."""
    model = build_reading_css(num_classes=4, temperature=0.7).eval()
    assert prototypes_of(model) == {"prototypes": 0, "highest_similarity": None}
    model.bank.prototypes[:2] = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    model.bank.seen[:2] = True
    image = torch.zeros(1, 6, 8, 8)
    image[:, 4] = 1  # the embedding is the first prototype
    reached = model.inspect(image, (8, 8)).sources["representation"].confidence
    found = prototypes_of(model)
    assert found == {"prototypes": 2, "highest_similarity": pytest.approx(reached.max().item())}
