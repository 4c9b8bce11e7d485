"""Say in the log which images are trained on."""

import os.path as osp
from collections.abc import Iterator

from mmengine.dataset import BaseDataset
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.datasets import PairedDataset
from mmseg_css.datasets.checks import leaves
from mmseg_css.datasets.protocols import identify
from mmseg_css.datasets.splits import fingerprint, id_of
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class SplitHook(Hook):
    """Log the protocol of the labelled images (or ``custom``) with its fingerprint, and how many images are unlabelled.

    Warns where an image is labelled and unlabelled at once, or trained on and validated on. The same image is the same
    file, whatever links lead to it.
    """

    @master_only
    def before_train(self, runner: Runner) -> None:
        dataset = runner.train_dataloader.dataset
        paired = isinstance(dataset, PairedDataset)
        labeled = _images(dataset.labeled if paired else dataset)
        unlabeled = _images(dataset.unlabeled) if paired else {}
        validation = {} if runner.val_loop is None else _images(runner.val_loop.dataloader.dataset)
        both = labeled.keys() & unlabeled.keys()
        leaked = (labeled.keys() | unlabeled.keys()) & validation.keys()
        ids = labeled.values()
        runner.logger.info(
            f"labelled images: {len(labeled)}, protocol {identify(ids)}, fingerprint {fingerprint(ids)[:12]}; "
            f"unlabelled images: {len(unlabeled)}, of them labelled: {len(both)}; "
            f"validation images: {len(validation)}, of them trained on: {len(leaked)}"
        )
        if both:
            runner.logger.warning(
                f"{len(both)} images are labelled and unlabelled at once, the first: {min(both)!r}; name the labelled "
                "list in UnlabeledDataset(exclude=...)"
            )
        if leaked:
            runner.logger.warning(
                f"{len(leaked)} images are both trained on and validated on, the first: {min(leaked)!r}; the scores "
                "will be too good. Take them off the lists of one side"
            )


def _images(dataset: BaseDataset) -> dict[str, str]:
    """The ids of a data set's images, by file."""
    return {osp.realpath(path): image_id for leaf in leaves(dataset) for path, image_id in _of_leaf(leaf)}


def _of_leaf(leaf: BaseDataset) -> Iterator[tuple[str, str]]:
    folder = leaf.data_prefix.get("img_path") or ""
    for index in range(len(leaf)):
        path = leaf.get_data_info(index)["img_path"]
        yield path, id_of(path, folder, getattr(leaf, "img_suffix", osp.splitext(path)[1]))
