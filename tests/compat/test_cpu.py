"""Mixed precision, several processes and SyncBN on machines without an accelerator."""

import socket
from collections.abc import Iterator
from pathlib import Path

import mmengine.device
import mmengine.dist.utils
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper
from mmseg.registry import MODEL_WRAPPERS, MODELS, OPTIM_WRAPPERS

from mmseg_css import compat
from mmseg_css.compat.cpu import lacks_bfloat16
from tests.compat.helpers import only_cpu
from tests.ranks import destroy_group


@pytest.fixture(autouse=True)
def _idle(monkeypatch):
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))


@only_cpu
@pytest.mark.parametrize(("load", "threads", "said"), [(3.0, 2, True), (3.0, 1, False), (0.5, 2, False)])
def test_other_work_on_the_cores_is_said(monkeypatch, load, threads, said):
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    notes = compat.prepare_cfg(small_cfg(), distributed=False)
    assert [note for note in notes if "OMP_NUM_THREADS=1" in note] == (notes if said else [])
    assert len(notes) == said


@only_cpu
def test_apples_gpu_is_left_alone_and_it_is_said(monkeypatch):
    monkeypatch.setattr("mmengine.device.utils.DEVICE", "mps")
    compat.apply_workarounds()
    assert mmengine.device.get_device() == "cpu"
    monkeypatch.setattr("mmseg_css.compat.cpu.is_mps_available", lambda: True)
    [note] = compat.prepare_cfg(small_cfg(), distributed=False)
    assert "MPS" in note
    assert "CPU" in note


@pytest.mark.parametrize("device", ["cuda", "cpu", "npu"])
def test_other_devices_stay(monkeypatch, device):
    monkeypatch.setattr("mmengine.device.utils.DEVICE", device)
    compat.leave_mps()
    assert mmengine.device.get_device() == device


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="the fault is MPS's")
def test_mps_fault():
    """Goes when MPS has float64."""
    with pytest.raises(TypeError, match="float64"):
        torch.ones(1, dtype=torch.float64, device="mps")


def linear_and_optimizer() -> tuple[torch.nn.Linear, torch.optim.SGD]:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


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
    first, *_ = compat.prepare_cfg(cfg, distributed=False)
    assert "bfloat16" in first
    assert cfg.optim_wrapper.to_dict() == {"type": "CpuAmpOptimWrapper", "optimizer": {"type": "SGD"}}


@only_cpu
@pytest.mark.parametrize("wrapper", ["AmpOptimWrapper", "CpuAmpOptimWrapper", "OptimWrapper"])
@pytest.mark.parametrize("lacking", [True, False])
def test_a_processor_without_bfloat16_is_told(monkeypatch: pytest.MonkeyPatch, lacking: bool, wrapper: str):
    """Also where a config was dumped on such a machine, as work dirs hold it."""
    monkeypatch.setattr("mmseg_css.compat.cpu.lacks_bfloat16", lambda: lacking)
    cfg = small_cfg(optim_wrapper={"type": wrapper, "optimizer": {"type": "SGD"}})
    told = any("has no bfloat16" in note for note in compat.prepare_cfg(cfg, distributed=False))
    assert told == (lacking and wrapper != "OptimWrapper")


@pytest.mark.parametrize(
    ("said", "lacking"),
    [
        ("flags\t\t: fpu avx2 avx512_vnni\n", True),
        ("flags\t\t: fpu avx2 avx512_bf16\n", False),
        ("Features\t: fp asimd\n", True),
        ("Features\t: fp asimd bf16\n", False),
        ("model name\t: what says nothing\n", False),
    ],
)
def test_bfloat16_is_looked_for_in_what_the_processor_says(tmp_path: Path, said: str, lacking: bool):
    file = tmp_path / "cpuinfo"
    file.write_text(said)
    assert lacks_bfloat16(file) == lacking
    assert not lacks_bfloat16(tmp_path / "none")


def test_amp_option_takes_no_fused_optimiser():
    """It would hide from teacher and prototypes which steps the scaler skips; the short schedules have one."""
    cfg = small_cfg(optim_wrapper={"type": "OptimWrapper", "optimizer": {"type": "AdamW", "fused": True}})
    compat.enable_amp(cfg)
    assert cfg.optim_wrapper.optimizer == {"type": "AdamW"}


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
        destroy_group()


@only_cpu
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


def test_what_was_dumped_on_a_cpu_has_mixed_precision_elsewhere(monkeypatch):
    """Its wrapper would leave the autocast of the accelerator off, in silence."""
    cfg = small_cfg(optim_wrapper={"type": "CpuAmpOptimWrapper", "optimizer": {"type": "AdamW", "fused": True}})
    plain = small_cfg()
    monkeypatch.setattr("mmseg_css.compat.cpu.on_cpu", lambda: False)
    [note] = compat.prepare_cfg(cfg, distributed=False)
    assert "CpuAmpOptimWrapper is for machines without an accelerator" in note
    assert cfg.optim_wrapper == {"type": "AmpOptimWrapper", "optimizer": {"type": "AdamW"}, "loss_scale": "dynamic"}
    assert compat.prepare_cfg(cfg, distributed=False) == compat.prepare_cfg(plain, distributed=False) == []
