"""The stack check and the work-arounds.

Each work-around has a test named ``..._fault``, which shows what happens without it. When such a test fails on a newer
stack, the fault is gone, and so may the work-around.
"""

import importlib.util
import inspect
import os
import pickle
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import mmengine.config.utils
import mmengine.dist.utils
import mmengine.runner.checkpoint
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.optim import AmpOptimWrapper
from mmengine.utils import get_installed_path
from mmseg.registry import MODEL_WRAPPERS, MODELS, OPTIM_WRAPPERS

from mmseg_css import compat

ROOT = Path(__file__).resolve().parents[2]
ONEDL = {
    "onedl-mmengine": "0.10.12",
    "onedl-mmcv": "2.3.6",
    "onedl-mmsegmentation": "1.4.2",
    "onedl-mmpretrain": "1.3.6",
    "torch": "2.14.1+cpu",
}
OPENMMLAB = {
    "mmengine": "0.10.7",
    "mmcv-lite": "2.1.0",
    "mmsegmentation": "1.2.2",
    "torch": "2.14.1",
    "setuptools": "80.9.0",
    "ftfy": "6.3.1",
    "regex": "2026.1.1",
}

only_onedl = pytest.mark.skipif(compat.FAMILY.name != "onedl", reason="concerns the onedl family only")
only_upstream = pytest.mark.skipif(compat.FAMILY.name != "openmmlab", reason="concerns the upstream family only")
only_mmcv_lite = pytest.mark.skipif(compat.installed_version("mmcv-lite") is None, reason="concerns mmcv-lite only")
only_cpu = pytest.mark.skipif(not compat.on_cpu(), reason="concerns machines without an accelerator only")


def pristine(module: ModuleType) -> ModuleType:
    """A second copy of a module as it was installed, without what we changed in it."""
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_pristine", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)


def assert_one_sentence(message: str) -> None:
    assert message.startswith("mmseg_css")
    assert re.findall(r"\.(?=\s|$)", message) == ["."], message
    assert "make install" in message


# ---- the stack -------------------------------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize(("installed", "family"), [(ONEDL, "onedl"), (OPENMMLAB, "openmmlab")])
def test_measured_stacks_are_supported(installed, family):
    assert compat.find_family(installed.get).name == family


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ({}, "none is installed"),
        ({**ONEDL, **OPENMMLAB}, "two families"),
        ({**ONEDL, "mmcv-lite": "2.1.0"}, "two families"),
        ({**OPENMMLAB, "onedl-mmpretrain": "1.3.6"}, "two families"),
        ({**ONEDL, "onedl-mmcv": "2.4.0"}, "onedl-mmcv is 2.4.0, supported is >=2.3.6,<2.4"),
        ({**ONEDL, "onedl-mmcv": None}, "onedl-mmcv>=2.3.6,<2.4 is not installed"),
        ({**ONEDL, "torch": "2.5.1"}, "torch is 2.5.1"),
        ({**OPENMMLAB, "mmcv-lite": None}, "neither mmcv nor mmcv-lite is installed"),
        ({**OPENMMLAB, "mmcv-lite": None, "mmcv": "2.2.0"}, "mmcv is 2.2.0"),
        ({**OPENMMLAB, "setuptools": "82.0.0"}, "setuptools is 82.0.0"),
    ],
)
def test_other_stacks_are_refused_in_one_sentence(installed, said):
    with pytest.raises(ImportError) as caught:
        compat.find_family(installed.get)
    assert said in str(caught.value)
    assert_one_sentence(str(caught.value))


@pytest.mark.smoke
@pytest.mark.parametrize("module", ["mmengine", "mmseg", "torch"])
def test_import_without_the_stack_says_one_sentence(module):
    result = run_python(f"import sys; sys.modules[{module!r}] = None; import mmseg_css")
    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert last_line.startswith(f"ImportError: mmseg_css cannot import {module} ")
    assert_one_sentence(last_line.removeprefix("ImportError: "))


# ---- checkpoints -----------------------------------------------------------------------------------------------------


class RunsCode:
    """Pickles into a call of ``os.mkdir``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def without_allowed_types() -> Iterator[None]:
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(allowed)


def save_checkpoint(path: Path) -> Path:
    history = HistoryBuffer()
    history.update(0.5)
    message_hub = {"log_scalars": {"loss": history}, "runtime_info": {"mIoU": np.float32(41.5), "flag": np.bool_(True)}}
    torch.save({"state_dict": {"weight": torch.ones(2)}, "message_hub": message_hub}, path)
    return path


@pytest.mark.smoke
def test_checkpoint_round_trip_runs_no_code(tmp_path):
    path = save_checkpoint(tmp_path / "iter_1.pth")
    for _ in range(2):  # onedl-mmengine's own loader would take types off the list after the first
        checkpoint = mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    assert checkpoint["message_hub"]["runtime_info"]["mIoU"] == np.float32(41.5)
    assert checkpoint["message_hub"]["log_scalars"]["loss"].current() == 0.5


def test_checkpoint_of_numpy_1_loads(tmp_path):
    path = tmp_path / "published.pth"
    content = {"mIoU": np.float64(0.25), "classes": np.arange(3, dtype=np.uint8)}
    torch.save(content, path, _use_new_zipfile_serialization=False)  # one stream, so that a name can be exchanged
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    checkpoint = mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    assert checkpoint["mIoU"] == 0.25
    np.testing.assert_array_equal(checkpoint["classes"], [0, 1, 2])


@pytest.mark.smoke
def test_checkpoint_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "crafted.pth"
    torch.save({"state_dict": RunsCode(tmp_path / "ran")}, path)
    with pytest.raises(pickle.UnpicklingError):
        mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    assert not (tmp_path / "ran").exists()


class ReachesFor:
    """Pickles into ``getattr(HistoryBuffer, name)``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self):
        return getattr, (HistoryBuffer, self.name)


@pytest.mark.parametrize("name", ["__init__", "update", "__subclasses__"])
def test_only_statistics_of_a_history_can_be_reached(tmp_path, name):
    path = tmp_path / "crafted.pth"
    torch.save(ReachesFor(name), path)
    with pytest.raises(pickle.UnpicklingError, match=name):
        mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    torch.save(ReachesFor("mean"), path)
    assert mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu") is HistoryBuffer.mean


def test_refusal_names_the_file_and_the_remedy(tmp_path):
    path = tmp_path / "crafted.pth"
    torch.save(RunsCode(tmp_path / "ran"), path)
    with pytest.raises(pickle.UnpicklingError, match=r"crafted\.pth.*could run code.*add_safe_globals"):
        compat.load_weights_only(path)


def test_allowed_types_fault(tmp_path, without_allowed_types):
    """Goes when torch or MMEngine itself allows what MMEngine's checkpoints hold."""
    path = save_checkpoint(tmp_path / "iter_1.pth")
    with pytest.raises(pickle.UnpicklingError, match="(?i)historybuffer|getattr"):
        torch.load(path)


@only_onedl
def test_unsafe_fallback_fault(tmp_path, without_allowed_types):  # which also puts back what that loader takes away
    """Goes when onedl-mmengine refuses what it cannot load safely."""
    path = tmp_path / "crafted.pth"
    torch.save(RunsCode(tmp_path / "ran"), path)
    pristine(mmengine.runner.checkpoint)._safe_torch_load(path)
    assert (tmp_path / "ran").exists()


# ---- configs ---------------------------------------------------------------------------------------------------------


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


# ---- mmcv-lite -------------------------------------------------------------------------------------------------------


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


@only_upstream
def test_setuptools_bound_fault():
    """The bound on setuptools goes when upstream MMEngine no longer needs pkg_resources."""
    import mmengine.utils.package_utils

    assert "pkg_resources" in inspect.getsource(mmengine.utils.package_utils)


# ---- machines without an accelerator ---------------------------------------------------------------------------------


def linear_and_optimizer() -> tuple[torch.nn.Linear, torch.optim.SGD]:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


@pytest.mark.smoke
def test_cpu_amp_steps_in_bfloat16():
    model, optimizer = linear_and_optimizer()
    before = model.weight.detach().clone()
    wrapper = OPTIM_WRAPPERS.build({"type": "CpuAmpOptimWrapper", "optimizer": optimizer})
    with wrapper.optim_context(model):
        prediction = model(torch.ones(2, 3))
    assert prediction.dtype == torch.bfloat16
    wrapper.update_params(prediction.float().mean())
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(model.weight, before - 0.1)  # the gradient of the mean of ones is one
    assert "loss_scaler" not in wrapper.state_dict()


def test_cpu_amp_accumulates_gradients():
    model, optimizer = linear_and_optimizer()
    before = model.weight.detach().clone()
    wrapper = compat.CpuAmpOptimWrapper(optimizer=optimizer, accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 2)
    for moved in (False, True):
        with wrapper.optim_context(model):
            loss = model(torch.ones(2, 3)).float().mean()
        wrapper.update_params(loss)
        assert (not torch.equal(model.weight, before)) is moved


@only_cpu
def test_amp_on_cpu_fault():
    """Goes when AmpOptimWrapper accepts the CPU."""
    _, optimizer = linear_and_optimizer()
    with pytest.raises(AssertionError, match="only available"):
        AmpOptimWrapper(optimizer=optimizer)


def small_cfg(**settings) -> Config:
    model = {
        "type": "EncoderDecoder",
        "backbone": {"type": "ResNet", "norm_cfg": {"type": "SyncBN", "requires_grad": True}},
        "auxiliary_head": [{"type": "FCNHead", "norm_cfg": {"type": "SyncBN"}}],
    }
    return Config({"model": model, "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"type": "SGD"}}, **settings})


@only_cpu
def test_amp_option_becomes_cpu_amp():
    cfg = small_cfg()
    compat.enable_amp(cfg)
    assert cfg.optim_wrapper.to_dict() == {
        "type": "AmpOptimWrapper",
        "optimizer": {"type": "SGD"},
        "loss_scale": "dynamic",
    }
    [note] = compat.prepare_cfg(cfg, distributed=False)
    assert "bfloat16" in note
    assert cfg.optim_wrapper.to_dict() == {"type": "CpuAmpOptimWrapper", "optimizer": {"type": "SGD"}}


def test_amp_option_refuses_unknown_wrappers():
    with pytest.raises(ValueError, match="'ApexOptimWrapper'"):
        compat.enable_amp(small_cfg(optim_wrapper={"type": "ApexOptimWrapper"}))


@only_cpu
def test_single_process_leaves_the_config_alone():
    cfg = small_cfg()
    before = cfg.to_dict()
    assert compat.prepare_cfg(cfg, distributed=False) == []
    assert cfg.to_dict() == before


@only_cpu
def test_distributed_cpu_reverts_sync_bn_and_says_where():
    cfg = small_cfg(sync_bn="torch", find_unused_parameters=True)
    [note] = compat.prepare_cfg(cfg, distributed=True)
    assert "model.backbone.norm_cfg" in note
    assert "model.auxiliary_head[0].norm_cfg" in note
    assert cfg.model.backbone.norm_cfg.to_dict() == {"type": "BN", "requires_grad": True}
    assert "sync_bn" not in cfg
    assert cfg.model_wrapper_cfg.to_dict() == {
        "type": "MMDistributedDataParallel",
        "broadcast_buffers": False,
        "find_unused_parameters": True,
        "device_ids": None,
    }


@pytest.fixture
def one_rank(monkeypatch) -> Iterator[None]:
    """The environment that torchrun gives to its only process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    yield
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@only_cpu
@pytest.mark.smoke
def test_distributed_cpu_wraps_and_steps(one_rank):
    compat.init_cpu_distributed("pytorch")
    assert torch.distributed.get_backend() == "gloo"
    cfg = small_cfg()
    compat.prepare_cfg(cfg, distributed=True)
    conv = MODELS.build({"type": "mmseg.FCNHead", "in_channels": 4, "channels": 2, "num_classes": 2, "num_convs": 1})
    runner_defaults = {"module": conv, "device_ids": [0]}
    wrapped = MODEL_WRAPPERS.build(cfg.model_wrapper_cfg, default_args=runner_defaults)
    wrapped([torch.ones(2, 4, 3, 3)]).sum().backward()
    assert all(parameter.grad is not None for parameter in conv.parameters())


@only_cpu
def test_device_ids_fault(one_rank):
    """Goes when the Runner (or torch) understands that a model on the CPU has no device id."""
    compat.init_cpu_distributed("pytorch")
    model, _ = linear_and_optimizer()
    with pytest.raises(ValueError, match="device_ids"):
        MODEL_WRAPPERS.build({"type": "MMDistributedDataParallel"}, default_args={"module": model, "device_ids": [0]})


@only_cpu
def test_init_dist_fault(one_rank, monkeypatch):
    """Goes when MMEngine starts gloo without touching CUDA."""
    monkeypatch.setattr(mmengine.dist.utils.mp, "set_start_method", lambda method: None)
    with pytest.raises((RuntimeError, AssertionError), match="(?i)cuda|nvidia"):
        mmengine.dist.init_dist("pytorch", backend="gloo")


@only_cpu
def test_sync_bn_on_cpu_fault(one_rank):
    """Goes when torch's SyncBatchNorm accepts the CPU."""
    compat.init_cpu_distributed("pytorch")
    with pytest.raises(ValueError, match="SyncBatchNorm"):
        torch.nn.SyncBatchNorm(2)(torch.ones(2, 2, 1, 1))


@only_cpu
def test_launchers_on_cpu_in_words(monkeypatch):
    compat.init_cpu_distributed("none")
    assert not torch.distributed.is_initialized()
    with pytest.raises(ValueError, match="use torchrun"):
        compat.init_cpu_distributed("slurm")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match="must be started by torchrun: RANK"):
        compat.init_cpu_distributed("pytorch")
