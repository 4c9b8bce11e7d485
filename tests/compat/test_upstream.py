"""Names that MMEngine does not find, and operators that mmcv-lite lacks."""

import mmengine.config.utils
import pytest
import torch
from mmengine.config import Config
from mmengine.utils import get_installed_path

from tests.compat.helpers import only_mmcv_lite, only_onedl, pristine, run_python


@pytest.mark.smoke
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


@pytest.mark.smoke
def test_sync_bn_can_be_reverted():
    from mmengine.model import revert_sync_batchnorm

    model = revert_sync_batchnorm(torch.nn.Sequential(torch.nn.SyncBatchNorm(2)))
    assert model(torch.ones(2, 2, 1, 1)).shape == (2, 2, 1, 1)


@pytest.mark.smoke
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
