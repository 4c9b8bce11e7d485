"""Files named after images, and the table that says which test holds which row."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from mmseg_css.datasets import checks
from tests.datasets.helpers import METAINFO, labeled_config, write_image


def test_pictures_of_images_called_alike(tmp_path: Path) -> None:
    """MMSeg numbers its pictures; if it no longer does, they need names of their own."""
    init_default_scope("mmseg")
    visualizer = SegLocalVisualizer.get_instance(
        "alike", vis_backends=[{"type": "LocalVisBackend"}], save_dir=str(tmp_path)
    )
    visualizer.dataset_meta = METAINFO
    hook = SegVisualizationHook(draw=True, interval=1)
    hook._visualizer = visualizer
    for site in range(2):
        path = tmp_path / f"site {site}" / "frame.png"
        write_image(path)
        sample = SegDataSample(metainfo={"img_path": str(path)})
        sample.pred_sem_seg = PixelData(data=torch.zeros(1, 16, 16, dtype=torch.long))
        hook.after_test_iter(None, site, {}, [sample])
    assert len(list((tmp_path / "vis_data").rglob("*frame*.png"))) == 2


def test_names_of_predictions(root: Path) -> None:
    dataset = DATASETS.build(labeled_config(root))
    checks.check_output_names(dataset, "out")
    write_image(root / "images/town 1/frame 00.jpg")
    write_image(root / "images/town 1/frame 00.png")
    with pytest.raises(ValueError, match=r"town 0/frame 00\.png' and '.*town 1/frame 00\.png' would both be written"):
        checks.check_output_names(DATASETS.build(labeled_config(root)), "out")
