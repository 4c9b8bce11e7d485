"""What a config names, before anything of it is built."""

import os.path as osp
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mmengine.dataset import ClassBalancedDataset
from mmseg.datasets import BaseSegDataset

from mmseg_css.config_parts import mappings
from mmseg_css.datasets.checks.paths import PATH_REMEDY, check_paths
from mmseg_css.registry import DATASETS

#: Files of pretrained weights that a command of this package writes.
OURS: Final = {
    "efficientnet-lite0_stride-16.pth": "mmseg-css data weights",
    "mobilenetv2_stride-16.pth": "mmseg-css data weights --network mobilenetv2",
}


def check_config(config: Mapping[str, Any]) -> None:
    """Check the paths in a data set's config before it is built (PascalVOCDataset, say, fails with an empty message).

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: A list is empty.
        TypeError: Several folders or lists are given where there can be one.
    """
    check_single(config.get("data_prefix", {}), config.get("ann_file"))
    root = config.get("data_root") or ""
    kind = config["type"]
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    check_paths(
        data_prefix={key: osp.join(root, path) for key, path in config.get("data_prefix", {}).items()},
        lists=[osp.join(root, path) for path in [config.get("ann_file")] if path],
        backend_args=config.get("backend_args"),
        remedy=getattr(kind, "REMEDY", PATH_REMEDY),
    )


def check_single(data_prefix: Mapping[str, Any], ann_file: Any = None) -> None:
    """Check that a data set is given one folder of each kind and one list.

    Raises:
        TypeError: It is given several.
    """
    for key, value in {
        **{f"data_prefix[{key!r}]": path for key, path in data_prefix.items()},
        "ann_file": ann_file,
    }.items():
        if isinstance(value, list | tuple):
            raise TypeError(
                f"{key} is a list, {value!r}, and a data set has one folder of each kind and one list: write one data "
                "set for each, and dict(type='ConcatDataset', datasets=[...]) around them"
            )


def check_training_paths(config: Any) -> None:
    """Check the paths of every MMSeg data set in the config of a training set, whatever it is wrapped in.

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: A list is empty.
        TypeError: A wrapper asks what MMSeg's data sets do not know.
    """
    check_wrappers(config)
    for dataset in dataset_configs(config):
        check_config(dataset)


def check_wrappers(config: Any) -> None:
    """Check that no wrapper asks a data set for the classes of an image, which MMSeg's data sets do not know.

    Raises:
        TypeError: There is a ``ClassBalancedDataset``.
    """
    if any(part.get("type") in ("ClassBalancedDataset", ClassBalancedDataset) for _, part in mappings(config)):
        raise TypeError(
            "ClassBalancedDataset asks which classes an image shows (get_cat_ids), which MMSeg's data sets do not "
            "know: list the images with rare classes in a data set of their own, and write dict(type='ConcatDataset', "
            "datasets=[all, dict(type='RepeatDataset', times=..., dataset=those)])"
        )


def dataset_configs(config: Any) -> Iterator[Mapping[str, Any]]:
    """The configs of MMSeg's data sets within the config of one, whatever it is wrapped in."""
    if isinstance(config, list | tuple):
        for child in config:
            yield from dataset_configs(child)
    elif isinstance(config, Mapping):
        kind = config.get("type")
        kind = DATASETS.get(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, BaseSegDataset) and "data_prefix" in config:
            yield config
        else:
            yield from dataset_configs(list(config.values()))


def pretrained_in(config: Any, key: str) -> Iterator[tuple[str, str]]:
    """Where a model's config, which stands under ``key``, names pretrained weights: the key and the file or URL."""
    for place, part in mappings(config, key):
        if part.get("type") == "Pretrained" and part.get("checkpoint") is not None:
            yield place, part["checkpoint"]


def names_weights(config: Any) -> bool:
    """Whether a model's config, or a part of it, names weights to start from: ``checkpoint`` or ``pretrained``."""
    return any(part.get("pretrained") or part.get("checkpoint") for _, part in mappings(config))


def check_pretrained(config: Any, key: str = "model") -> None:
    """Check that the files of pretrained weights that a model's config names are there.

    Raises:
        FileNotFoundError: One is missing.
    """
    for place, path in pretrained_in(config, key):
        if "://" not in path and not osp.isfile(path):
            ours = OURS.get(osp.basename(path))
            above = re.sub(r"\[\d+\]$", "", place)
            remedy = f"put them there, or set {above}=None" if ours is None else f"run {ours}"
            raise FileNotFoundError(f"the pretrained weights {path!r} of {place} are missing: {remedy}")
