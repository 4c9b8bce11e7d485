"""The images that a diagnosis looks at: those of the test set, or unlabelled ones with the masks that they have."""

from typing import Any

from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmseg_css.datasets import checks
from mmseg_css.datasets.halves import halves_of
from mmseg_css.datasets.truth import TruthDataset


def images_of_test_set(cfg: Config) -> DataLoader[Any]:
    """The images of the config's test set.

    Raises:
        FileNotFoundError: An image or a mask is missing.
        ValueError: A file does not fit, or the pipeline loads no masks.
    """
    loader = Runner.build_dataloader(cfg.test_dataloader)
    _check(loader.dataset, cfg, "test_dataloader.dataset.pipeline")
    checks.check_stackable(loader.dataset, loader.batch_size, "test set")
    return loader


def unlabeled_images(cfg: Config, masks: str, suffix: str) -> DataLoader[Any]:
    """The images of the unlabelled half, read as those of the test set, with masks below a folder.

    Raises:
        FileNotFoundError: A folder or an image is missing, or all masks are.
        ValueError: The config names no unlabelled images, a file does not fit, or the pipeline loads no masks.
    """
    steps = next(checks.dataset_configs(cfg.test_dataloader.dataset), {}).get("pipeline", ())
    dataset = TruthDataset(halves_of(cfg), masks, suffix, steps)
    for left_out, why in ((dataset.labelled, "are labelled, too"), (dataset.without_mask, "have no mask")):
        if left_out:
            print(f"{left_out} of the unlabelled images {why}, and are left out", flush=True)
    checks.watch(dataset)
    _check(dataset, cfg, "test_dataloader.dataset.pipeline, with which the unlabelled images are read,")
    checks.check_stackable(dataset, cfg.test_dataloader.batch_size, "unlabelled half (read by test_dataloader)")
    return in_batches(dataset, cfg.test_dataloader, cfg.test_dataloader.batch_size)


def as_labelled_in_training(loader: DataLoader[Any], cfg: Config) -> DataLoader[Any]:
    """The same images, in batches of as many as a training step labels.

    Raises:
        ValueError: They have several sizes, or there is one, or the config has no training.
    """
    if (train := cfg.get("train_dataloader")) is None:
        raise ValueError(f"--training-mode: {cfg.filename} has no train_dataloader; take the config of the training")
    labeled, unlabeled = (train.get("sampler") or {}).get("ratio", (1, 1))
    paired = "unlabeled" in train.dataset
    batch = train.batch_size * unlabeled // (labeled + unlabeled) if paired else train.batch_size
    dataset: Any = loader.dataset
    batch = batch_without_rest(len(dataset), max(2, batch))
    try:
        checks.check_stackable(dataset, batch, "diagnosis")
    except ValueError as error:
        raise ValueError(f"--training-mode takes statistics of batches, and {error}") from None
    return in_batches(dataset, cfg.test_dataloader, batch)


def in_batches(dataset: Any, settings: Any, batch: int) -> DataLoader[Any]:
    """The images in their order."""
    return DataLoader(dataset, batch_size=batch, num_workers=settings.num_workers, collate_fn=pseudo_collate)


def batch_without_rest(images: int, batch: int) -> int:
    """The batch, or the next larger one, that leaves no single image over: it has no batch statistics.

    >>> batch_without_rest(5, 4), batch_without_rest(6, 4)
    (5, 4)

    Raises:
        ValueError: There is one image.
    """
    if images < 2:
        raise ValueError("--training-mode takes statistics of batches, and there is one image")
    while images % batch == 1:
        batch += 1
    return batch


def _check(dataset: Any, cfg: Config, pipeline: str) -> None:
    """Check the files, unless the config has that left out, and that masks are loaded."""
    hook = cfg.default_hooks.get("data_check")
    if hook is not None and hook.get("files", True):
        checks.check_set(dataset, checks.EVALUATION)
    if "gt_sem_seg" not in dataset[0].get("data_samples", ()):
        raise ValueError(
            f"{pipeline} loads no masks, which labels are compared with: put dict(type='LoadAnnotations') before "
            "PackSegInputs"
        )
