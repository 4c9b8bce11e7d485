"""The memory of class prototypes."""

import torch
from jaxtyping import Bool, Float, Int
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmseg_css.functional.prototypes import class_sums, ema_prototypes


class PrototypeBank(nn.Module):
    """One running mean embedding per class, the same on all ranks.

    A step has three moves, so that one that is skipped leaves no trace: `observe` collects the batch's class sums,
    `lookahead` gives the prototypes with them blended in (what this step's loss uses), `commit` makes that the state,
    after the optimiser's step. Under gradient accumulation several observations make one commit.

    Args:
        num_classes: number k of classes.
        channels: size d of the embedding.
        decay: weight of the old prototype when a new class mean is blended in.
    """

    prototypes: Tensor
    seen: Tensor
    pending_sums: Tensor
    pending_counts: Tensor

    def __init__(self, *, num_classes: int, channels: int, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("prototypes", torch.zeros(num_classes, channels))
        self.register_buffer("seen", torch.zeros(num_classes, dtype=torch.bool))
        self.register_buffer("pending_sums", torch.zeros(num_classes, channels), persistent=False)
        self.register_buffer("pending_counts", torch.zeros(num_classes), persistent=False)

    @torch.no_grad()
    def observe(self, embeddings: Float[Tensor, "b d h w"], labels: Int[Tensor, "b h w"]) -> None:
        """Add a batch's class sums, over all ranks. Labels outside the classes count for none."""
        sums, counts = class_sums(embeddings, labels, len(self.seen))
        # One message instead of two.
        message = torch.cat([sums, counts[:, None]], dim=1)
        all_reduce(message)
        self.pending_sums += message[:, :-1]
        self.pending_counts += message[:, -1]

    def lookahead(self) -> tuple[Float[Tensor, "k d"], Bool[Tensor, " k"]]:
        """Prototypes and seen flags as they will be after `commit`."""
        return ema_prototypes(self.prototypes, self.seen, self.pending_sums, self.pending_counts, self.decay)

    def commit(self) -> None:
        """Make the looked-ahead prototypes the state."""
        prototypes, seen = self.lookahead()
        self.prototypes.copy_(prototypes)
        self.seen.copy_(seen)
        self.discard()

    def discard(self) -> None:
        """Forget what was observed since the last commit."""
        self.pending_sums.zero_()
        self.pending_counts.zero_()
