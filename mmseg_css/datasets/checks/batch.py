"""The sampler's ratio and the size of a batch."""

from collections.abc import Sequence


def check_ratio(ratio: Sequence[int]) -> None:
    """Check that a labelled:unlabelled ratio is a pair of positive integers.

    Raises:
        ValueError: It is not.
    """
    if len(ratio) != 2 or any(not isinstance(part, int) or part < 1 for part in ratio):
        raise ValueError(f"PairedSampler.ratio must be two positive integers, labelled and unlabelled, got {ratio!r}")


def check_batch(batch_size: int | None, ratio: Sequence[int]) -> None:
    """Check that a batch divides into whole rounds of ``ratio``.

    Raises:
        ValueError: It does not, or a batch sampler has taken the batch size over.
    """
    if batch_size is None:
        raise ValueError("train_dataloader has no batch_size; give it one, and no batch_sampler beside a PairedSampler")
    if batch_size % sum(ratio):
        lower = batch_size - batch_size % sum(ratio)
        fitting = [str(size) for size in (lower, lower + sum(ratio)) if size]
        raise ValueError(
            f"train_dataloader.batch_size={batch_size} (labelled and unlabelled images together) is no multiple of "
            f"{sum(ratio)}, the sum of PairedSampler.ratio={tuple(ratio)}; set batch_size={' or '.join(fitting)}"
        )
