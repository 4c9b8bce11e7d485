"""Labelled and unlabelled images, side by side."""

from mmseg_css.datasets.camvid import CamVidDataset
from mmseg_css.datasets.coco import COCOObjectDataset
from mmseg_css.datasets.demo import DemoDataset
from mmseg_css.datasets.folder import FolderDataset
from mmseg_css.datasets.paired import PairedDataset, PairedSample, paired_collate
from mmseg_css.datasets.sampler import PairedSampler, SeededSampler
from mmseg_css.datasets.seeded import Draw, SeededDataset
from mmseg_css.datasets.transforms import Cached, RandomScale, StretchTo8Bit
from mmseg_css.datasets.unlabeled import UnlabeledDataset

__all__ = [
    "COCOObjectDataset",
    "Cached",
    "CamVidDataset",
    "DemoDataset",
    "Draw",
    "FolderDataset",
    "PairedDataset",
    "PairedSample",
    "PairedSampler",
    "RandomScale",
    "SeededDataset",
    "SeededSampler",
    "StretchTo8Bit",
    "UnlabeledDataset",
    "paired_collate",
]
