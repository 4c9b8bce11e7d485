"""What can be wrong with the data, said in words when the data set is built and not hours into a run."""

from mmseg_css.datasets.checks.batch import check_batch, check_ratio
from mmseg_css.datasets.checks.beside import check_no_masks
from mmseg_css.datasets.checks.classes import check_num_classes, check_same_classes
from mmseg_css.datasets.checks.config import (
    check_config,
    check_pretrained,
    check_single,
    check_training_paths,
    check_wrappers,
    dataset_configs,
    names_weights,
)
from mmseg_css.datasets.checks.ignored import check_ignored_value, ignored_values
from mmseg_css.datasets.checks.images import EXIF_ORIENTATION, TOO_LARGE, check_images, find_faults, image_fault
from mmseg_css.datasets.checks.labels import EVALUATION, TRAINING
from mmseg_css.datasets.checks.masks import FAULTY, IGNORED, MaskCheck, check_mask_free, check_masks
from mmseg_css.datasets.checks.outputs import check_output_names
from mmseg_css.datasets.checks.paths import (
    NO_IMAGE,
    check_links,
    check_not_empty,
    check_paths,
    infos_of,
    leaves,
    paths_of,
    real_paths,
)
from mmseg_css.datasets.checks.reading import WatchedPipeline, watch
from mmseg_css.datasets.checks.sets import SET_REMEDY, check_set
from mmseg_css.datasets.checks.sides import check_views, mirrored
from mmseg_css.datasets.checks.sizes import check_crops, check_stackable
from mmseg_css.datasets.checks.values import check_values

__all__ = [
    "EVALUATION",
    "EXIF_ORIENTATION",
    "FAULTY",
    "IGNORED",
    "MaskCheck",
    "NO_IMAGE",
    "SET_REMEDY",
    "TOO_LARGE",
    "TRAINING",
    "WatchedPipeline",
    "check_batch",
    "check_config",
    "check_crops",
    "check_ignored_value",
    "check_images",
    "check_links",
    "check_mask_free",
    "check_masks",
    "check_no_masks",
    "check_not_empty",
    "check_num_classes",
    "check_output_names",
    "check_paths",
    "check_pretrained",
    "check_ratio",
    "check_same_classes",
    "check_set",
    "check_single",
    "check_stackable",
    "check_training_paths",
    "check_values",
    "check_views",
    "check_wrappers",
    "dataset_configs",
    "find_faults",
    "ignored_values",
    "image_fault",
    "infos_of",
    "leaves",
    "mirrored",
    "names_weights",
    "paths_of",
    "real_paths",
    "watch",
]
