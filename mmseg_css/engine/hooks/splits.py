"""Say in the log which images are trained on."""

from collections.abc import Iterator, Set

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.datasets.protocols import identify
from mmseg_css.datasets.splits import fingerprint
from mmseg_css.engine.images import ids_by_file, same_pictures, tested_on, trained_on
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class SplitHook(Hook):
    """Log the protocol of the labelled images (or ``custom``) with its fingerprint, and how many images are unlabelled.

    Warns where an image is labelled and unlabelled at once, or trained on and validated or tested on. The same image is
    the same file, whatever links lead to it; one that is validated or tested on may also be a copy under another name.
    """

    @master_only
    def before_train(self, runner: Runner) -> None:
        labeled, unlabeled = trained_on(runner.train_dataloader.dataset)
        validation = {} if runner.val_loop is None else ids_by_file(runner.val_loop.dataloader.dataset)
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
        for what, others in (("validated", validation), ("tested", tested_on(runner.cfg))):
            for message in _leaks((labeled | unlabeled).keys(), others.keys(), what):
                runner.logger.warning(message)


def _leaks(learnt: Set[str], others: Set[str], what: str) -> Iterator[str]:
    """What to say of images that scores are taken of, and that are learnt, as they are or as copies."""
    leaked = learnt & others
    if leaked:
        yield (
            f"{len(leaked)} images are both trained on and {what} on, the first: {min(leaked)!r}; the scores will be "
            "too good. Take them off the lists of one side"
        )
    if copies := same_pictures(learnt - leaked, others - leaked):
        yield (
            f"{len(copies)} images are trained on and, under another name, {what} on, the first: {copies[0][0]!r} is "
            f"{copies[0][1]!r}, byte for byte; the scores will be too good. Take them out on one side"
        )
