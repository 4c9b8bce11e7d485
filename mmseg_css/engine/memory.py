"""A GPU that is too small, said with what makes a training smaller."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def memory_explained() -> Iterator[None]:
    """Let torch's error about a lack of memory say which settings take it.

    Raises:
        torch.cuda.OutOfMemoryError: The same, in words.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise torch.cuda.OutOfMemoryError(
            f"the GPU has not enough memory. In training: lower train_dataloader.batch_size, or the crop (crop_size in "
            "RandomCrop, model.data_preprocessor.size), or say --amp. In validation and test, which take whole images: "
            "test_cfg=dict(mode='slide', crop_size=..., stride=...) in the segmentor. Then go on with --resume. "
            f"({str(error).splitlines()[0] if str(error) else 'torch says no more'})"
        ) from error
