"""Contrast in the feature space: a pixel resembles itself in the other view, and not its negatives.

Letters: b batch, d embedding, h w pixels, a anchors, n negatives. Source: PC2Seg (ICCV 2021, arXiv 2108.09025), section
3.2.
"""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.info_nce import info_nce
from mmseg_css.functional.negative_sampling import NegativeDraw
from mmseg_css.functional.sampling import read_pixels


def pixel_contrast(
    weak: Float[Tensor, "b d h w"],
    strong: Float[Tensor, "b d h w"],
    pool: Float[Tensor, "p d h w"],
    anchors: Int[Tensor, " a"],
    draw: NegativeDraw,
    temperature: float,
) -> Float[Tensor, ""]:
    r"""Mean over the anchors of

    .. math:: l^{ce}_i = -\log \frac{e^{\cos(z_i, z_i^+) / \tau}}
       {e^{\cos(z_i, z_i^+) / \tau} + \sum_n e^{\cos(z_i, z^-_{in}) / \tau}}.

    Anchors :math:`z_i` are pixels of the weak view, positives :math:`z_i^+` the same pixels of the strong view, and
    negatives pixels of ``pool``: the weak view, or the weak views of all ranks. All three carry a gradient. An anchor
    without negatives costs nothing, as the equation says of an empty sum.

    Raises:
        ValueError: if ``temperature`` is not positive.

    >>> import torch
    >>> maps = torch.eye(2).reshape(1, 2, 1, 2)
    >>> draw = NegativeDraw(torch.tensor([[1]]), torch.tensor([True]))
    >>> round(pixel_contrast(maps, maps, maps, torch.tensor([0]), draw, temperature=0.5).item(), 4)  # log(1 + e^-2)
    0.1269
    """
    queries, positives = (F.normalize(read_pixels(maps, anchors), dim=1) for maps in (weak, strong))
    candidates = F.normalize(rearrange(pool, "p d h w -> (p h w) d"), dim=1)
    weights = draw.found.to(weak.dtype) / max(1, len(anchors))
    return info_nce(queries, positives, candidates, draw.negatives, weights, temperature)
