"""Two processes with half a batch each do what one does with the whole, also where one of them has nothing to say.

What is drawn, processes draw apart: so nothing is, but for the dropped channels and the classes that labelled images
give, which are given. No batch norm.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch import Tensor

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.functional import mixing
from mmseg_css.models.segmentors import unimatch, unimatch_v2
from mmseg_css.registry import MODELS
from tests.models.helpers import EMBEDDING, NO_AUGMENTATION
from tests.models.methods.helpers import NOISY, PLAIN, config, networks_of
from tests.models.test_ranks import CASES, GivenBatch, Pyramid, assert_mean_of_ranks, steps
from tests.ranks import as_two_ranks

METHODS = [*(method for method in PLAIN if method not in NOISY), "aided_css"]
GROUPS = {"type": "GN", "num_groups": 2}
SAME = {
    "type": "StrongView",
    "boxes": "none",
    "jitter_probability": 0.0,
    "grey_probability": 1.0,
    "blur_probability": 0.0,
}


def every_other(features: list[Tensor], *_: object) -> list[Tensor]:
    """Stands in for the drawn channels."""
    return [level * (torch.arange(level.shape[1]) % 2 * 2.0)[:, None, None] for level in features]


def first_class(labels: Tensor, *_: object) -> Tensor:
    """Stands in for the drawn classes."""
    return labels == 0


# The contrast, which samples, is compared in ../test_ranks.py.
AIDED = {
    "augmentation": {**NO_AUGMENTATION, "labeled_share": 1.0},
    "pseudo_label_loss": {"type": "MaskedPseudoLabelLoss", "threshold": 0.6},
    "contrast_loss": {"type": "PrototypeContrastLoss", "num_queries": 8, "num_negatives": 16, "loss_weight": 0.0},
    "head": {
        "norm_cfg": GROUPS,
        "projection": {"type": "ProjectionBranch", "channels": EMBEDDING, "hidden": 8, "norm_cfg": GROUPS},
    },
}


def build(method: str) -> Any:
    if method == "aided_css":
        return MODELS.build(config(method, **AIDED))
    changes = {"augmentation": SAME} if "augmentation" in PLAIN[method] else {}
    return MODELS.build(config(method, head={"norm_cfg": GROUPS}, **changes))


def prepare(model: Any) -> None:
    """Let the teacher say several classes, surer of some, so that confidences beside those of their class matter."""
    model.bank.prototypes.copy_(torch.tensor([[1.0, 0.2], [-1.0, 1.0], [0.0, -1.0]]))
    model.bank.seen.fill_(True)
    with torch.no_grad():
        for network in (model.student, model.teacher.model):
            network.decode_head.conv_seg.weight.mul_(100)


def run(method: str, case: str, rank: int, ranks: int) -> dict[str, Any]:
    """A few steps; the losses of each, and the weights that they leave."""
    torch.manual_seed(0)
    model = build(method)
    for network in networks_of(model):
        network.backbone = Pyramid()
    if model.teacher is not None:
        model.teacher.model.backbone = Pyramid().requires_grad_(False)
    model.init_weights()
    if method == "aided_css":
        prepare(model)
    model.data_preprocessor = GivenBatch()
    model.train()
    wrapper = OptimWrapper(torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1))

    def as_hooks() -> None:
        if model.teacher is not None:
            model.teacher.update(model.student)
        for bank in getattr(model, "banks", ()):
            bank.commit()

    return steps(model, wrapper, case, rank, ranks, as_hooks, number=2)


def as_rank(rank: int, folder: Path) -> None:
    init_default_scope("mmseg")
    unimatch.drop_channels = unimatch_v2.drop_complementary = every_other
    mixing.draw_classmix_mask = first_class
    results = {f"{method} {case}": run(method, case, rank, 2) for method in METHODS for case in CASES}
    torch.save(results, folder / f"{rank}.pth")


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    as_two_ranks(as_rank, folder)
    return [torch.load(folder / f"{rank}.pth", weights_only=True) for rank in (0, 1)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", METHODS)
def test_two_ranks_equal_one(
    ranks: list[dict[str, Any]], method: str, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unimatch, "drop_channels", every_other)
    monkeypatch.setattr(unimatch_v2, "drop_complementary", every_other)
    monkeypatch.setattr(mixing, "draw_classmix_mask", first_class)
    one = run(method, case, 0, 1)
    first, second = (results[f"{method} {case}"] for results in ranks)
    assert_mean_of_ranks(one["losses"], first["losses"], second["losses"])
    for name, value in one["state"].items():
        torch.testing.assert_close(first["state"][name], value, rtol=0, atol=1e-5, msg=name)
        assert torch.equal(first["state"][name], second["state"][name]), name
    assert sum(value for name, value in one["losses"][-1].items() if "unsup.loss" in name) > 0.01
