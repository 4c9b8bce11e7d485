"""Values of images behind their pipeline."""

from typing import Any


def check_values(sample: dict[str, Any], remedy: str) -> None:
    """Check that an unlabelled image has the values of 8 bits, which strong views are made of.

    Args:
        sample: What the pipeline made of it.
        remedy: How to do without this check.

    Raises:
        ValueError: It has others.
    """
    values = sample["inputs"].float()  # integers of 16 bits have no minimum in torch
    low, high = values.min().item(), values.max().item()
    if low <= -1 or high >= 256:  # what rounding and interpolation leave beyond the end is nothing to lose
        path = getattr(sample["data_samples"], "img_path", None)
        raise ValueError(
            f"the unlabelled image {path!r} has values from {low:.0f} to {high:.0f} behind its pipeline, and "
            "model.augmentation cuts pictures off at 0 and 255: most of a strong view would be one colour. Put "
            "dict(type='StretchTo8Bit', low=..., high=...) after LoadImageFromFile in every pipeline, in training and "
            f"evaluation, and set mean and std of model.data_preprocessor to those of what that gives ({remedy})"
        )
