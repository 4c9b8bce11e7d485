"""The loss of PC2Seg's contrast: its settings in words, and candidates of several ranks."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmseg_css.models import PixelContrastLoss
from tests.ranks import as_two_ranks


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sampler": "other"}, "contrast_loss.sampler must be one of uniform, "),
        ({"candidates": "all"}, "contrast_loss.candidates must be one of rank, all_ranks"),
        ({"num_anchors": 0}, "contrast_loss.num_anchors must be at least 1"),
        ({"num_negatives": 0}, "contrast_loss.num_negatives must be at least 1"),
        ({"temperature": 0.0}, "contrast_loss.temperature must be positive"),
    ],
)
def test_wrong_choice_in_words(wrong: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PixelContrastLoss(**wrong)


def maps_of(rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings and probabilities; rank 0 is sure of class 0 everywhere, rank 1 of class 1."""
    embeddings = torch.randn(1, 2, 2, 2, generator=torch.Generator().manual_seed(rank), requires_grad=True)
    probabilities = torch.zeros(1, 2, 2, 2)
    probabilities[:, rank] = 1
    return embeddings, probabilities, torch.ones(1, 2, 2, dtype=torch.bool)


def contrast_as_rank(rank: int, folder: Path) -> None:
    embeddings, probabilities, valid = maps_of(rank)
    results = {}
    for candidates in ("rank", "all_ranks"):
        module = PixelContrastLoss(
            candidates=candidates, num_anchors=400, num_negatives=1, temperature=1.0, loss_weight=1.0
        )
        loss, _, found = module(
            embeddings, embeddings, probabilities, valid, generator=torch.Generator().manual_seed(rank)
        )
        gradient = torch.autograd.grad(loss, embeddings)[0]
        results[candidates] = {"loss": loss.detach(), "found": found, "gradient": gradient}
    torch.save(results, folder / f"{rank}.pth")


def test_candidates_of_all_ranks(tmp_path: Path) -> None:
    as_two_ranks(contrast_as_rank, tmp_path)
    maps = [torch.nn.functional.normalize(maps_of(rank)[0].detach(), dim=1).flatten(2)[0].T for rank in range(2)]
    for rank in range(2):
        own = torch.load(tmp_path / f"{rank}.pth", weights_only=True)
        # Alone, a rank that is sure of one class everywhere has no negatives.
        assert not own["rank"]["found"].any() and own["rank"]["loss"] == 0
        assert own["all_ranks"]["found"].all()
        assert own["all_ranks"]["gradient"].abs().sum() > 0
        # Together, negatives are the other rank's pixels alike: the mean over all pairs, up to the noise of 400 draws.
        cosines = maps[rank] @ maps[1 - rank].T
        expected = torch.log1p((cosines - 1).exp()).mean().item()
        assert own["all_ranks"]["loss"].item() == pytest.approx(expected, abs=0.08)
