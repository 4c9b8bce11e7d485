"""Rules by which images are suggested."""

from typing import Final, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mmseg_css.deployment.suggestion.scoring import SCORES, Score
from mmseg_css.functional.suggestion import highest, k_centre

Rule = Literal[Score, "diversity", "random"]
RULES: Final[tuple[Rule, ...]] = (*SCORES, "diversity", "random")
#: How many times the budget of highest scores the suggestions are spread over.
CANDIDATES: Final = 4


class Choice(NamedTuple):
    """Suggested images, the first one first.

    Attributes:
        indices: Which.
        distances: How far the vector of each was from those of all that were labelled or suggested before it; None
            where the rule does not look at that.
    """

    indices: list[int]
    distances: list[float] | list[None]


def choose(
    scores: list[dict[Score, float]],
    vectors: Float[Tensor, "n d"],
    labelled: Float[Tensor, "m d"],
    *,
    by: Rule,
    budget: int,
    candidates: int = CANDIDATES,
    seed: int = 0,
) -> Choice:
    """Choose images; equal ones in their order.

    Args:
        scores: Of each image.
        vectors: Of each image.
        labelled: Vectors of the images that have labels.
        by: A score, of whose ``candidates`` times ``budget`` highest those are taken that lie farthest from what is
            labelled and from each other; ``diversity``: the same, of all images; ``random``.
        budget: How many images.
        candidates: 1 takes the highest scores as they are.
        seed: Of ``random``.
    """
    if by == "random":
        order = torch.randperm(len(scores), generator=torch.Generator().manual_seed(seed))[:budget]
        return Choice(order.tolist(), [None] * len(order))
    if by == "diversity":
        among = torch.arange(len(scores))
    else:
        among = highest(torch.tensor([own[by] for own in scores]), candidates * budget)
        if candidates == 1:
            return Choice(among.tolist(), [None] * len(among))
    indices, distances = k_centre(vectors[among], labelled, budget)
    return Choice(among[indices].tolist(), distances.tolist())
