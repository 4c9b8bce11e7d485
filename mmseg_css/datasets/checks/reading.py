"""What goes wrong with one image while it is read, said with the image's name."""

from typing import Any

from mmengine.dataset import Compose
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks.images import image_fault
from mmseg_css.datasets.checks.paths import leaves


class WatchedPipeline(Compose):
    """The transforms of a data set. An error of one names it and the image; labels that are none are an error.

    It runs where the image is read: in the workers, not between the steps of a training.

    Args:
        dataset: The data set whose pipeline it is.
    """

    def __init__(self, dataset: BaseSegDataset) -> None:
        super().__init__(dataset.pipeline.transforms)
        self.classes = len(dataset.metainfo.get("classes") or ())
        self.ignored = dataset.ignore_index
        self.backend_args = dataset.backend_args

    def __call__(self, data: dict) -> Any:
        """What the transforms make of an image.

        Raises:
            FileNotFoundError: The image or the mask is not there any more.
            ValueError: It cannot be read any more, or a label is neither a class nor ignored.
            RuntimeError: A transform failed on them.
        """
        image, mask, results = data.get("img_path"), data.get("seg_map_path"), data
        for transform in self.transforms:
            try:
                results = transform(results)
            except Exception as error:  # transforms raise what they like
                for what, path in (("image", image), ("mask", mask)):
                    if path and (fault := image_fault(path, self.backend_args, what)):
                        raise type(fault)(f"{fault}; then go on with --resume") from error
                raise RuntimeError(
                    f"{type(transform).__name__} failed on the image {image!r}: {type(error).__name__}: {error}"
                ) from error
            if results is None:  # MMEngine draws another image then
                return None
        self._check_labels(results, image, mask)
        return results

    def _check_labels(self, results: dict, image: str | None, mask: str | None) -> None:
        samples = results.get("data_samples") if isinstance(results, dict) else None
        for sample in samples if isinstance(samples, list) else [samples]:  # test-time augmentation makes several
            if sample is None or "gt_sem_seg" not in sample or not self.classes:
                continue
            labels = sample.gt_sem_seg.data
            if labels.numel() == 0 or int(labels.max()) < self.classes and int(labels.min()) >= 0:
                continue
            faulty = labels[((labels < 0) | (labels >= self.classes)) & (labels != self.ignored)].unique().tolist()
            if faulty:
                raise ValueError(
                    f"the pipeline made the labels {faulty} of the mask {mask!r} (image {image!r}), which are neither "
                    f"one of the {self.classes} classes (0..{self.classes - 1}) nor ignored ({self.ignored}); correct "
                    "the mask, classes, reduce_zero_label, or the value that a transform pads with"
                )


def watch(dataset: Any) -> None:
    """Let the pipelines below a data set name the image that they fail on. Idempotent."""
    for leaf in leaves(dataset):
        if isinstance(leaf, BaseSegDataset) and type(leaf.pipeline) is Compose:
            leaf.pipeline = WatchedPipeline(leaf)
