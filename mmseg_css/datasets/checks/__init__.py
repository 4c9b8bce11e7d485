"""What can be wrong with the data, said in words when the data set is built and not hours into a run."""

from mmseg_css.datasets.checks.batch import check_batch, check_ratio
from mmseg_css.datasets.checks.config import check_config, check_pretrained, check_single, check_training_paths
from mmseg_css.datasets.checks.images import EXIF_ORIENTATION, TOO_LARGE, check_images, find_faults, image_fault
from mmseg_css.datasets.checks.masks import FAULTY, IGNORED, MaskCheck, check_mask_free, check_masks
from mmseg_css.datasets.checks.paths import check_links, check_not_empty, check_paths, leaves
from mmseg_css.datasets.checks.reading import WatchedPipeline, watch

__all__ = [
    "EXIF_ORIENTATION",
    "FAULTY",
    "IGNORED",
    "MaskCheck",
    "TOO_LARGE",
    "WatchedPipeline",
    "check_batch",
    "check_config",
    "check_images",
    "check_links",
    "check_mask_free",
    "check_masks",
    "check_not_empty",
    "check_paths",
    "check_pretrained",
    "check_ratio",
    "check_single",
    "check_training_paths",
    "find_faults",
    "image_fault",
    "leaves",
    "watch",
]
