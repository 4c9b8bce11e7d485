"""Files named after images, and the table that says which test holds which row."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from mmseg_css.datasets import checks
from tests.compat.helpers import only_upstream
from tests.datasets.helpers import METAINFO, labeled_config, write_image


def drawn(folder: Path, after_test_iter: Callable) -> int:
    """How many pictures there are of two images called alike."""
    init_default_scope("mmseg")
    visualizer = SegLocalVisualizer.get_instance(
        folder.name, vis_backends=[{"type": "LocalVisBackend"}], save_dir=str(folder)
    )
    visualizer.dataset_meta = METAINFO
    hook = SegVisualizationHook(draw=True, interval=1)
    hook._visualizer = visualizer
    for site in range(2):
        path = folder / f"site {site}" / "frame.png"
        write_image(path)
        sample = SegDataSample(metainfo={"img_path": str(path)})
        sample.pred_sem_seg = PixelData(data=torch.zeros(1, 16, 16, dtype=torch.long))
        after_test_iter(hook, SimpleNamespace(iter=0), site, {}, [sample])
    return len(list((folder / "vis_data").rglob("*frame*.png")))


def test_pictures_of_images_called_alike(tmp_path: Path) -> None:
    """They are numbered; if they no longer are, they need names of their own."""
    assert drawn(tmp_path, SegVisualizationHook.after_test_iter) == 2


@only_upstream
def test_pictures_of_images_called_alike_fault(tmp_path: Path) -> None:
    """Goes when upstream MMSegmentation numbers them."""
    assert drawn(tmp_path, Hook.after_test_iter) == 1


def test_names_of_predictions(root: Path) -> None:
    dataset = DATASETS.build(labeled_config(root))
    checks.check_output_names(dataset, "out")
    write_image(root / "images/town 1/frame 00.jpg")
    write_image(root / "images/town 1/frame 00.png")
    with pytest.raises(ValueError, match=r"town 0/frame 00\.png' and '.*town 1/frame 00\.png' would both be written"):
        checks.check_output_names(DATASETS.build(labeled_config(root)), "out")
