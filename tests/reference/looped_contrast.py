"""The contrastive term at the cost of the published code, written from its description (end of spec/css.md).

For `benchmarks/`: negatives are drawn in a Python double loop over queries and classes, and for every class the
queries, positives and negatives are materialised as q x (n + 1) x d numbers that autograd keeps for the backward pass.
The distributions are those of `tests/reference/contrastive.py`.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def looped_contrast(
    embeddings: Tensor,
    labels: Tensor,
    hard: Tensor,
    prototypes: Tensor,
    num_queries: int,
    num_negatives: int,
    temperature: float = 0.5,
    similarity_temperature: float = 0.5,
) -> Tensor:
    """Loss of maps "b d h w" with labels "b h w"; randomness from numpy's and torch's global generators."""
    pixels = embeddings.permute(0, 2, 3, 1).reshape(-1, embeddings.shape[1])
    flat, flat_hard = labels.flatten(), hard.flatten()
    present = [c for c in range(len(prototypes)) if bool((flat == c).any())]
    features = [pixels[flat == c] for c in present]
    if len(present) < 2:
        return embeddings.sum() * 0.0
    stacked = torch.cat([own.detach() for own in features])
    lengths = [len(own) for own in features]
    starts = np.cumsum([0, *lengths])
    loss = embeddings.sum() * 0.0
    for position, c in enumerate(present):
        candidates = pixels[(flat == c) & flat_hard]
        if len(candidates) == 0:
            continue
        queries = candidates[torch.randint(len(candidates), (num_queries,))]
        with torch.no_grad():
            others = [j for j in range(len(present)) if j != position]
            similarity = F.cosine_similarity(prototypes[c][None], prototypes[[present[j] for j in others]], dim=1)
            probability = (similarity / similarity_temperature).softmax(dim=0)
            chosen = torch.distributions.Categorical(probability).sample((num_queries, num_negatives))
            counts = torch.stack([(chosen == j).sum(dim=1) for j in range(len(others))], dim=1)
            indices = []
            for query in range(num_queries):
                for which, j in enumerate(others):
                    size = int(counts[query, which])
                    indices.extend(np.random.randint(starts[j], starts[j + 1], size=size).tolist())
            negatives = stacked[indices].reshape(num_queries, num_negatives, -1)
            positive = prototypes[c][None, None].expand(num_queries, 1, -1)
            everything = torch.cat([positive, negatives], dim=1)
        logits = F.cosine_similarity(queries[:, None], everything, dim=2) / temperature
        loss = loss + F.cross_entropy(logits, torch.zeros(num_queries, dtype=torch.long))
    return loss / len(present)
