"""InfoNCE over drawn negatives, without keeping what was drawn.

Letters: q queries, n negatives of each, d embedding, m pixels that negatives come from.

Written directly, the loss gathers q x n x d numbers and autograd keeps them until the backward pass. The gradient of
InfoNCE is known in closed form, so it is computed here together with the loss, a block of queries at a time: what is
kept is of the size of the inputs.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmseg_css.functional.prototypes import check_temperature

#: Numbers that a block of gathered negatives holds: a processor's cache, or on a GPU enough work for each call.
BLOCK_NUMBERS = {"cpu": 2**20, "gpu": 2**26}


def info_nce(
    queries: Float[Tensor, "q d"],
    positives: Float[Tensor, "q d"],
    pool: Float[Tensor, "m d"],
    negatives: Int[Tensor, "q n"],
    weights: Float[Tensor, " q"],
    temperature: float,
) -> Float[Tensor, ""]:
    r"""Weighted sum over the queries of the cross-entropy of telling the positive from the negatives.

    .. math:: L = \sum_i w_i \left[ -\log \frac{e^{u_i \cdot v_i / \tau}}
       {e^{u_i \cdot v_i / \tau} + \sum_n e^{u_i \cdot p_{N_{in}} / \tau}} \right]

    The embeddings are taken as they are; normalise them first and the products are cosines. Whatever of queries,
    positives and pool needs a gradient gets one; the weights never do.

    Raises:
        ValueError: if ``temperature`` is not positive.

    >>> pixels = torch.eye(2)
    >>> loss = info_nce(pixels[:1], pixels[:1], pixels, torch.tensor([[1]]), torch.ones(1), temperature=0.5)
    >>> round(loss.item(), 4)  # log(1 + e^-2)
    0.1269
    """
    check_temperature(temperature)
    with torch.autocast(queries.device.type, enabled=False):
        return _InfoNCE.apply(queries, positives, pool, negatives, weights.to(queries.dtype), temperature)


class _InfoNCE(torch.autograd.Function):
    """Loss and gradient in one pass over blocks of queries."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        positives: Tensor,
        pool: Tensor,
        negatives: Tensor,
        weights: Tensor,
        temperature: float,
    ) -> Tensor:
        inputs = zip((queries, positives, pool), ctx.needs_input_grad[:3], strict=True)
        gradients = [torch.zeros_like(x) if needed else None for x, needed in inputs]
        of_queries, of_positives, of_pool = gradients
        loss = queries.new_zeros(())
        numbers = BLOCK_NUMBERS["cpu" if queries.device.type == "cpu" else "gpu"]
        block = max(1, numbers // max(1, negatives.shape[1] * pool.shape[1]))
        for start in range(0, len(queries), block):
            rows = slice(start, start + block)
            query, positive, index = queries[rows], positives[rows], negatives[rows]
            gathered = pool.index_select(0, index.flatten()).reshape(*index.shape, pool.shape[1])
            own = torch.einsum("qd,qd->q", query, positive)[:, None]
            others = torch.bmm(query[:, None], gathered.transpose(1, 2))[:, 0]  # on a CPU several times einsum's speed
            logits = torch.cat([own, others], dim=1) / temperature
            log_sum = logits.logsumexp(dim=1)
            loss += torch.dot(weights[rows], log_sum - logits[:, 0])

            # d loss / d logit = softmax - [is the positive], and each logit is a product over the temperature.
            slope = (logits - log_sum[:, None]).exp() * (weights[rows] / temperature)[:, None]
            slope[:, 0] -= weights[rows] / temperature
            if of_queries is not None:
                pulled = torch.einsum("qn,qnd->qd", slope[:, 1:], gathered)
                of_queries[rows] = pulled.addcmul_(slope[:, :1], positive)
            if of_positives is not None:
                of_positives[rows] = slope[:, :1] * query
            if of_pool is not None:
                pushed = slope[:, 1:, None] * query[:, None]
                of_pool.index_add_(0, index.flatten(), pushed.flatten(0, 1))
        ctx.gradients = gradients
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        return *(None if g is None else upstream * g for g in ctx.gradients), None, None, None
