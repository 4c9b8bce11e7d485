"""Names that MMEngine does not find, and operators that mmcv-lite lacks."""

import mmengine.config.utils
import pytest
import torch
from mmengine.config import Config
from mmengine.utils import get_installed_path
from mmseg.evaluation import IoUMetric

from mmseg_css.locations import CONFIGS
from tests.compat.helpers import only_mmcv_lite, only_onedl, pristine, run_python


def test_mmseg_bases_are_found(tmp_path):
    config = tmp_path / "config.py"
    config.write_text("_base_ = 'mmseg::_base_/schedules/schedule_20k.py'\n")
    assert Config.fromfile(config).train_cfg.max_iters == 20000


@only_onedl
def test_mmseg_bases_fault():
    """Goes when onedl-mmengine knows the distribution of its own family."""
    assert pristine(mmengine.config.utils).MODULE2PACKAGE["mmseg"] == "mmsegmentation"
    with pytest.raises(Exception, match="mmsegmentation"):
        get_installed_path("mmsegmentation")


def test_sync_bn_can_be_reverted():
    from mmengine.model import revert_sync_batchnorm

    model = revert_sync_batchnorm(torch.nn.Sequential(torch.nn.SyncBatchNorm(2)))
    assert model(torch.ones(2, 2, 1, 1)).shape == (2, 2, 1, 1)


@only_mmcv_lite
def test_compiled_operators_say_what_they_need():
    from mmcv.ops import modulated_deform_conv

    with pytest.raises(RuntimeError, match="needs the compiled mmcv"):
        modulated_deform_conv.ext_module.modulated_deform_conv_forward()


@only_mmcv_lite
def test_compiled_operators_fault():
    """Goes when upstream MMSegmentation imports mmcv.ops only where it is used."""
    result = run_python("import mmseg.utils")
    assert "No module named 'mmcv._ext'" in result.stderr


class OnGpu(torch.Tensor):
    """A tensor that says when it is brought to the CPU."""

    brought = 0

    def cpu(self):
        type(self).brought += 1
        return self.as_subclass(torch.Tensor)


@pytest.mark.parametrize("deterministic", [False, True])
def test_metric_counts_on_the_cpu_where_cuda_must_not(deterministic, monkeypatch):
    monkeypatch.setattr(OnGpu, "brought", 0)
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: deterministic)
    masks = [torch.tensor([0, 1, 1, 255]).as_subclass(OnGpu) for _ in range(2)]
    areas = IoUMetric.intersect_and_union(*masks, 2, 255)
    assert [area.tolist() for area in areas] == [[1, 2]] * 4
    # Its own three results are brought in any case.
    assert OnGpu.brought == (2 if deterministic else 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the fault is CUDA's")
def test_deterministic_histogram_fault():
    torch.use_deterministic_algorithms(True)
    try:
        with pytest.raises(RuntimeError, match="deterministic"):
            torch.histc(torch.ones(3, device="cuda"), bins=2)
    finally:
        torch.use_deterministic_algorithms(False)


def test_our_own_bases_are_found(tmp_path):
    """Without a scope of their own, or MMEngine would look for registries of ours."""
    config = tmp_path / "config.py"
    config.write_text("_base_ = 'mmseg_css::css/css_lite0_demo.py'\n")
    assert Config.fromfile(config).to_dict() == Config.fromfile(CONFIGS / "css" / "css_lite0_demo.py").to_dict()


def test_our_own_bases_fault():
    """Goes when MMEngine finds the configs of any package."""
    assert "mmseg_css" not in pristine(mmengine.config.utils).MODULE2PACKAGE
