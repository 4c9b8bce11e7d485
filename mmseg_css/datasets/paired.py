"""A labelled and an unlabelled data set side by side, and how their samples become a batch."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from mmengine.dataset import BaseDataset, pseudo_collate
from torch.utils.data import Dataset

from mmseg_css.datasets import checks
from mmseg_css.datasets.seeded import Draw, seeded
from mmseg_css.registry import DATASETS, FUNCTIONS

Branch = Literal["labeled", "unlabeled"]
BRANCHES: Final[tuple[Branch, ...]] = ("labeled", "unlabeled")


class PairedSample(NamedTuple):
    """What a pipeline made of one image (``inputs`` and ``data_samples``), and the branch it came from."""

    branch: Branch
    sample: dict[str, Any]

    def __getitem__(self, key: Any) -> Any:
        """``sample[key]`` for a name, so that MMSeg's ``browse_dataset.py`` goes through the training images."""
        return self.sample[key] if isinstance(key, str) else tuple.__getitem__(self, key)


@DATASETS.register_module()
class PairedDataset(Dataset[PairedSample]):
    """Two data sets with their own pipelines behind one index: first all labelled images, then all unlabelled ones.

    Args:
        labeled: Any MMSeg data set (or its config) with masks. It gives the classes, the palette, the whole metainfo.
        unlabeled: Any MMSeg data set (or its config); :class:`UnlabeledDataset` needs no masks.
        check_masks: Look at every file once, at build time: labelled masks are there, as large as their images, with
            labels in range; images are there and whole.

    Raises:
        FileNotFoundError: A folder, a list, an image or a mask is missing.
        ValueError: A data set is empty, a mask does not fit its image or the classes or is an unlabelled image, too, or
            the unlabelled pipeline needs masks.
    """

    def __init__(self, *, labeled: BaseDataset | dict, unlabeled: BaseDataset | dict, check_masks: bool = True) -> None:
        self.labeled = _build(labeled, "labeled")
        self.unlabeled = _build(unlabeled, "unlabeled")
        for leaf in checks.leaves(self.unlabeled):
            checks.check_mask_free(getattr(leaf, "pipeline", None))
        checks.check_no_masks(self.labeled, self.unlabeled)
        if check_masks:
            checks.check_masks(self.labeled)
            checks.check_images(self.unlabeled)

    @property
    def num_labeled(self) -> int:
        return len(self.labeled)

    @property
    def num_unlabeled(self) -> int:
        return len(self.unlabeled)

    @property
    def metainfo(self) -> dict[str, Any]:
        return self.labeled.metainfo

    def full_init(self) -> None:
        """MMEngine calls this on every data set that it builds; ours are ready when constructed."""
        self.labeled.full_init()
        self.unlabeled.full_init()

    def __len__(self) -> int:
        return self.num_labeled + self.num_unlabeled

    def __getitem__(self, index: int | Draw) -> PairedSample:
        """The image at ``index``; from a :class:`Draw` also the seed under which its pipeline runs."""
        if isinstance(index, Draw):
            with seeded(index.seed):
                return self[index.index]
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is outside of the {len(self)} images of this PairedDataset")
        branch: Branch = "labeled" if index < self.num_labeled else "unlabeled"
        dataset, own = (self.labeled, index) if branch == "labeled" else (self.unlabeled, index - self.num_labeled)
        return PairedSample(branch, dataset[own])


@FUNCTIONS.register_module()
def paired_collate(batch: Sequence[PairedSample]) -> dict[Branch, dict[str, list]]:
    """``{'labeled': {'inputs': [...], 'data_samples': [...]}, 'unlabeled': {...}}``, nothing stacked.

    Raises:
        ValueError: A branch has no image in this batch.
    """
    samples = {branch: [sample for origin, sample in batch if origin == branch] for branch in BRANCHES}
    for branch in BRANCHES:
        if not samples[branch]:
            raise ValueError(
                f"a batch of {len(batch)} images has no {branch} one; set sampler=dict(type='PairedSampler', ...) and "
                "a batch_size that is a multiple of the sum of its ratio"
            )
    return {branch: pseudo_collate(samples[branch]) for branch in BRANCHES}


def _build(dataset: BaseDataset | dict, branch: Branch) -> BaseDataset:
    if isinstance(dataset, Mapping):
        checks.check_wrappers(dataset)
        checks.check_config(dataset)
        dataset = DATASETS.build({**dataset, "lazy_init": True})
    checks.check_not_empty(dataset, branch)
    dataset.full_init()
    checks.watch(dataset)
    return dataset
