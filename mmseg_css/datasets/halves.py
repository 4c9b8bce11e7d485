"""The labelled and the unlabelled images that a config names, whatever it trains."""

from mmengine.config import Config

from mmseg_css.datasets.paired import PairedDataset


def halves_of(cfg: Config) -> PairedDataset:
    """Both halves of a semi-supervised config, or of a supervised one that names the other half as ``unlabeled``.

    Files are not looked at.

    Raises:
        FileNotFoundError: A folder or a list is missing.
        ValueError: The config names no training images, or no unlabelled ones.
    """
    train = cfg.get("train_dataloader", {}).get("dataset", {})
    # The supervised configs read the labelled half, and have both as variables.
    labeled, unlabeled = train.get("labeled", train), train.get("unlabeled", cfg.get("unlabeled"))
    if not labeled:
        raise ValueError(
            f"{cfg.filename} names no training images, as one that was exported: take the config of the training"
        )
    if unlabeled is None:
        raise ValueError(
            f"{cfg.filename} names no unlabelled images: set unlabeled = dict(type='UnlabeledDataset', "
            "data_prefix=dict(img_path=FOLDER)) in it, or take the config of a semi-supervised method"
        )
    return PairedDataset(labeled=labeled, unlabeled=unlabeled, check_masks=False)
