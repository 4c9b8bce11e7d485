"""Say in the log which images are trained on."""

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.datasets.protocols import identify
from mmseg_css.datasets.splits import fingerprint
from mmseg_css.engine.images import ids_by_file, same_pictures, trained_on
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class SplitHook(Hook):
    """Log the protocol of the labelled images (or ``custom``) with its fingerprint, and how many images are unlabelled.

    Warns where an image is labelled and unlabelled at once, or trained on and validated on. The same image is the same
    file, whatever links lead to it; one that is validated on may also be a copy under another name.
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
        if leaked:
            runner.logger.warning(
                f"{len(leaked)} images are both trained on and validated on, the first: {min(leaked)!r}; the scores "
                "will be too good. Take them off the lists of one side"
            )
        if copies := same_pictures((labeled | unlabeled).keys() - leaked, validation.keys() - leaked):
            runner.logger.warning(
                f"{len(copies)} images are trained on and, under another name, validated on, the first: "
                f"{copies[0][0]!r} is {copies[0][1]!r}, byte for byte; the scores will be too good. Take them out on "
                "one side"
            )
