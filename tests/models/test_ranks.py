"""Two processes with half a batch each do what one does with the whole, also where one of them has nothing to say.

All processes are started once, for all cases; whoever waits for another longer than a minute ends with an error.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch import Tensor, nn

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.functional.ohem import ohem_cross_entropy
from mmseg_css.models import OhemCrossEntropyLoss, PixelContrastLoss, PixelCrossEntropyLoss, PrototypeContrastLoss
from mmseg_css.models.segmentors import Progress
from mmseg_css.registry import MODELS
from mmseg_css.types import View
from tests.models import helpers
from tests.models.helpers import NO_AUGMENTATION, batch_of, css_config, random_images, random_labels, tiny_segmentor
from tests.ranks import as_two_ranks

STEPS, BATCH, SIDE = 3, 4, 32  # images of each branch, in all processes together
METHODS = ("css", "pc2seg")
CASES = ("whole", "class missing", "no label", "no valid pixel")


def config(method: str, sampled: float) -> ConfigDict:
    """A tiny network without batch norm, whose statistics are those of a process; ``sampled`` weighs the contrast."""
    norm = {"type": "GN", "num_groups": 2, "requires_grad": True}
    segmentor = tiny_segmentor(norm_cfg=norm)
    segmentor["decode_head"]["projection"]["norm_cfg"] = norm
    if method == "css":
        return css_config(
            segmentor=segmentor,
            augmentation=NO_AUGMENTATION,
            pseudo_label_loss={"type": "PseudoLabelLoss", "threshold": 0.34},
            contrast_loss={
                "type": "PrototypeContrastLoss",
                "num_queries": 8,
                "num_negatives": 16,
                "sharing": "per_class",
                "candidates": "all_ranks",
                "loss_weight": sampled,
            },
            weak_threshold=0.34,
        )
    return ConfigDict(
        type="PC2Seg",
        segmentor=segmentor,
        data_preprocessor=helpers.PREPROCESSOR,
        augmentation=NO_AUGMENTATION,
        consistency_loss={"type": "CosineConsistencyLoss"},
        contrast_loss={
            "type": "PixelContrastLoss",
            "num_anchors": 8,
            "num_negatives": 8,
            "candidates": "all_ranks",
            "loss_weight": sampled,
        },
        rampup=0.0,
    )


def batch(step: int, case: str) -> tuple[dict, dict]:
    """The batch of all processes; what is missing is missing in the second half."""
    size = (SIDE, SIDE)
    labels = random_labels(10 * step + 1, BATCH, size)
    half = BATCH // 2
    if case == "class missing":
        labels[half:][labels[half:] == 1] = 255
    if case == "no label":
        labels[half:] = 255
    images, unlabeled = (random_images(10 * step + seed, BATCH, 3, size) for seed in (2, 3))
    inputs, samples = batch_of(images, labels, unlabeled)
    if case == "no valid pixel":
        samples["unlabeled"][half:] = helpers.samples_without_masks(half, padding=(0, 0, SIDE, 0))
    return inputs, samples


class GivenBatch(nn.Module):
    """Stands in for the data preprocessor: the batches are normalised already."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((3, 1, 1), 127.5), persistent=False)
        self.register_buffer("std", torch.full((3, 1, 1), 127.5), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        return data


def run(method: str, case: str, sampled: float, rank: int, ranks: int) -> dict[str, Any]:
    """A few steps as the hooks make them; the losses of each, and all that they leave."""
    torch.manual_seed(0)
    # Without batch norm in the backbone.
    model = MODELS.build(config(method, sampled))
    model.student.backbone = nn.Sequential()  # replaced below; built first so that the heads are initialised alike
    model.student.backbone = Pyramid()
    if method == "css":
        model.teacher.model.backbone = Pyramid().requires_grad_(False)
    model.init_weights()
    model.data_preprocessor = GivenBatch()
    if method == "pc2seg":
        model.strong_view = negative
        with torch.no_grad():
            model.student.decode_head.conv_seg.weight.mul_(100)  # so that the two views disagree
    model.train()
    optimizer = torch.optim.SGD(model.student.parameters(), lr=0.01)
    wrapper = OptimWrapper(optimizer)

    def as_hooks() -> None:
        if method == "css":
            model.teacher.update(model.student)
            model.bank.commit()

    return steps(model, wrapper, case, rank, ranks, as_hooks)


def steps(
    model: Any, wrapper: OptimWrapper, case: str, rank: int, ranks: int, after: Callable[[], None], number: int = STEPS
) -> dict[str, Any]:
    """A few steps on the share of a rank, ``after`` each of them; the losses of each, and the state that is left."""
    stepper = model
    if ranks > 1:
        stepper = MMDistributedDataParallel(model, broadcast_buffers=False, find_unused_parameters=False)
    own = slice(rank * BATCH // ranks, (rank + 1) * BATCH // ranks)
    losses = []
    for step in range(number):
        model.progress = Progress(step, number, 0)
        inputs, samples = batch(step, case)
        share = {
            "inputs": {name: images[own] for name, images in inputs.items()},
            "data_samples": {name: list(of_branch[own]) for name, of_branch in samples.items()},
        }
        model.present_hooks |= set(model.required_hooks)
        found = stepper.train_step(share, wrapper)
        losses.append({name: value.detach().clone() for name, value in found.items()})
        after()
    return {"losses": losses, "state": {k: v for k, v in model.state_dict().items() if "extra_state" not in k}}


def assert_mean_of_ranks(expected: list[dict], first: list[dict], second: list[dict]) -> None:
    """Every loss of every step is the mean over both ranks."""
    for step, losses in enumerate(expected):
        for name, value in losses.items():
            if "loss" in name:
                mean = (first[step][name] + second[step][name]) / 2
                assert mean.item() == pytest.approx(value.item(), abs=1e-5), (step, name)


def negative(images: Tensor, valid: Tensor, generator: torch.Generator) -> View:
    """Stands in for the strong view, which ranks draw apart: the same change whoever makes it."""
    none = images.new_zeros(len(images), 0, *images.shape[2:])
    return View(-images, none.long(), none, valid)


class Pyramid(nn.Module):
    """Features at strides 4 and 8, without statistics of the batch."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.low, self.deep = nn.Conv2d(3, 8, 4, 4), nn.Conv2d(8, 8, 3, 2, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        low = self.low(images).tanh()
        return low, self.deep(low).tanh()


def as_rank(rank: int, folder: Path) -> None:
    init_default_scope("mmseg")
    results: dict[str, Any] = {
        f"{method} {case} {sampled}": run(method, case, sampled, rank, 2)
        for method in METHODS
        for case in CASES
        for sampled in (0.0, 0.1)
    }
    for name, compute in {"ohem": ohem, "css contrast": css_contrast, "pc2seg contrast": pc2seg_contrast}.items():
        results[name] = compute(rank, 2)
    torch.save(results, folder / f"{rank}.pth")


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    as_two_ranks(as_rank, folder)
    return [torch.load(folder / f"{rank}.pth", weights_only=True) for rank in (0, 1)]


# -- whole steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", METHODS)
def test_two_ranks_equal_one(ranks: list[dict[str, Any]], method: str, case: str) -> None:
    """Without the sampled term: the losses of every step, and so also the weights, teacher and prototypes before it."""
    one = run(method, case, 0.0, 0, 1)
    first, second = (results[f"{method} {case} 0.0"] for results in ranks)
    assert_mean_of_ranks(one["losses"], first["losses"], second["losses"])
    for name, value in one["state"].items():
        tolerance = 1e-6 if name.startswith("bank") else 1e-5
        torch.testing.assert_close(first["state"][name], value, rtol=0, atol=tolerance, msg=name)
    compared = "unsup.loss_pseudo_label" if method == "css" else "unsup.loss_consistency"
    assert one["losses"][-1][compared] > 0.01  # there was something to compare


@pytest.mark.parametrize("sampled", [0.0, 0.1])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", METHODS)
def test_ranks_end_with_the_same_bits(ranks: list[dict[str, Any]], method: str, case: str, sampled: float) -> None:
    first, second = (results[f"{method} {case} {sampled}"]["state"] for results in ranks)
    assert list(first) == list(second)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
        assert value.isfinite().all(), name


# -- parts ------------------------------------------------------------------------------------------------------------


def ohem(rank: int, ranks: int) -> tuple[Tensor, Tensor]:
    """Rank 1 has all the hard pixels, and few valid ones."""
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(4, 3, 6, 6, generator=generator)
    labels = torch.randint(3, (4, 6, 6), generator=generator)
    logits[2:] *= 4
    labels[2:, 2:] = 255
    own = slice(rank * 4 // ranks, (rank + 1) * 4 // ranks)
    few, many = (OhemCrossEntropyLoss(threshold=0.2, min_kept=kept) for kept in (5, 20))
    return few(logits[own], labels[own]), many(logits[own], labels[own])


def test_ohem_mines_in_all_ranks(ranks: list[dict[str, Any]]) -> None:
    for number, whole in enumerate(ohem(0, 1)):
        mean = (ranks[0]["ohem"][number] + ranks[1]["ohem"][number]) / 2
        assert mean.item() == pytest.approx(whole.item(), abs=1e-5)


def css_contrast(rank: int, ranks: int) -> Tensor:
    """Hard are pixels of class 0 only, 3 of them on rank 0 and 60 on rank 1; negatives differ, too."""
    angle = torch.linspace(0, 3, 128)
    labels = torch.ones(2, 8, 8, dtype=torch.long)
    labels.view(2, -1)[0, :3] = 0
    labels.view(2, -1)[1, :60] = 0
    embeddings = torch.stack([angle.cos(), angle.sin()], dim=1).reshape(2, 8, 8, 2).permute(0, 3, 1, 2).clone()
    side = torch.tensor([[0.0, -1.0], [0.0, 1.0]])[:, :, None, None]  # of class 1: far from class 0, and near it
    embeddings = torch.where((labels == 1)[:, None], side, embeddings)
    own = slice(0, 2) if ranks == 1 else slice(rank, rank + 1)
    loss = PrototypeContrastLoss(num_queries=4000, num_negatives=4, ramp_mult=0.0, candidates="all_ranks")
    generator = torch.Generator().manual_seed(rank)
    prototypes = torch.eye(2)
    return loss(embeddings[own], labels[own], labels[own] == 0, prototypes, progress=0.0, generator=generator)[0]


def pc2seg_contrast(rank: int, ranks: int) -> Tensor:
    """Rank 0 has a tenth of the valid pixels of rank 1."""
    generator = torch.Generator().manual_seed(3)
    weak, strong = torch.randn(2, 2, 2, 10, 10, generator=generator)
    probabilities = torch.randn(2, 3, 10, 10, generator=generator).softmax(dim=1)
    valid = torch.ones(2, 10, 10, dtype=torch.bool)
    valid[0, 1:] = False
    strong[0] = -weak[0]  # dear
    own = slice(0, 2) if ranks == 1 else slice(rank, rank + 1)
    loss = PixelContrastLoss(num_anchors=4000, num_negatives=16, candidates="all_ranks", sampler="uniform")
    seed = torch.Generator().manual_seed(rank)
    return loss(weak[own], strong[own], probabilities[own], valid[own], generator=seed)[0]


@pytest.mark.parametrize(("name", "compute"), [("css contrast", css_contrast), ("pc2seg contrast", pc2seg_contrast)])
def test_sampled_terms_are_equal_in_expectation(
    ranks: list[dict[str, Any]], name: str, compute: Callable[[int, int], Tensor]
) -> None:
    """Up to the noise of thousands of draws; a mean of the ranks' means would be far off."""
    mean = (ranks[0][name] + ranks[1][name]) / 2
    assert mean.item() == pytest.approx(compute(0, 1).item(), rel=0.03)


def test_one_rank_alone_is_mmsegs_cross_entropy() -> None:
    init_default_scope("mmseg")
    mmsegs = MODELS.build({"type": "CrossEntropyLoss", "avg_non_ignore": True, "loss_weight": 0.4})
    logits, labels = torch.randn(2, 3, 5, 5), random_labels(0, 2, (5, 5))
    own = PixelCrossEntropyLoss(loss_weight=0.4)
    torch.testing.assert_close(own(logits, labels), mmsegs(logits, labels, ignore_index=255))
    assert own(logits, torch.full_like(labels, 255)) == 0
    assert ohem_cross_entropy(logits, torch.full_like(labels, 255)) == 0
