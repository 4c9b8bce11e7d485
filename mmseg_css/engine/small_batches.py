"""Batches too small to learn from: said in words where torch says little, or nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from mmengine.logging import print_log
from torch import nn
from torch.utils.data import DataLoader

from mmseg_css.datasets.sampler import PairedSampler
from mmseg_css.engine.images import trained_on


@contextmanager
def norms_explained(model: nn.Module) -> Iterator[None]:
    """Let torch's error about a norm layer that sees one value say which layer that is, and what to do.

    Raises:
        ValueError: A batch norm in training sees one value of each channel, as after a global pooling of one image.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        seen = {id(frame.f_locals.get("self")) for frame, _ in walk_tb(error.__traceback__)}
        names = [name for name, module in model.named_modules() if id(module) in seen]
        layer = max(names, key=len, default="the model")
        raise ValueError(
            f"the norm layer in {layer} sees a single value of each channel, because it follows a pooling of the whole "
            "image and gets one image at a time: raise train_dataloader.batch_size so that each process has two images "
            "of each kind in a batch; a method passes labelled and unlabelled ones apart"
        ) from error


def warn_of_repeats(dataloader: DataLoader) -> None:
    """Say in the log where an unlabelled image meets itself in a step, because there are too few of them."""
    sampler = dataloader.sampler
    if not isinstance(sampler, PairedSampler) or dataloader.batch_size is None:
        return
    images = len(trained_on(dataloader.dataset).unlabeled)
    drawn = dataloader.batch_size * sampler.ratio[1] // sum(sampler.ratio) * sampler.world_size
    remedy = "mixing it with another then changes nothing; add unlabelled images, or take smaller batches"
    if 0 < images < drawn:
        print_log(
            f"A step takes {drawn} unlabelled images, and there are {images}, so that an image meets itself: {remedy}",
            logger="current",
            level=logging.WARNING,
        )
    elif 0 < images < sampler.dataset.num_unlabeled:
        print_log(
            f"The {sampler.dataset.num_unlabeled} unlabelled samples are {images} images, so that an image can meet "
            f"itself in a batch: {remedy}",
            logger="current",
            level=logging.WARNING,
        )
