"""What the authors of the baselines state, and the footing that the short configs share."""

import pytest

from tests.configs.groups import BASELINES
from tests.configs.helpers import load

UNIMATCH = {
    "voc": {"classes": 21, "crop": 321, "tau": 0.95, "lr": (0.001, 0.01), "steps": 80 * (10_582 - 183) // 8},
    "voc-blended": {"classes": 21, "crop": 321, "tau": 0.95, "lr": (0.001, 0.01), "steps": 80 * (10_582 - 1323) // 8},
    "cityscapes": {"classes": 19, "crop": 801, "tau": 0.0, "lr": (0.005, 0.005), "steps": 240 * (2975 - 372) // 8},
}


@pytest.mark.parametrize("data", UNIMATCH)
@pytest.mark.parametrize("method", ["fixmatch", "unimatch"])
def test_numbers_of_unimatchs_authors(method: str, data: str) -> None:
    cfg, stated = load(f"{method}/{method}_r101_{data}_1-8"), UNIMATCH[data]
    model, head, backbone = cfg.model, cfg.model.segmentor.decode_head, cfg.model.segmentor.backbone
    assert (backbone.depth, backbone.strides, backbone.dilations) == (101, (1, 2, 2, 1), (1, 1, 1, 2))  # stride 16
    assert (head.dilations, head.channels, head.refinements) == ((1, 6, 12, 18), 256, 1)
    assert (head.num_classes, head.norm_cfg.type, backbone.norm_cfg.type) == (stated["classes"], "SyncBN", "SyncBN")
    if data == "cityscapes":
        assert head.loss_decode == {"type": "OhemCrossEntropyLoss", "threshold": 0.7, "min_kept": 200_000 // 2}
        assert model.segmentor.test_cfg.mode == "slide"
    assert model.pseudo_label_loss == {"type": "MaskedPseudoLabelLoss", "threshold": stated["tau"]}
    assert model.augmentation == {"type": "StrongView"}  # whose defaults are UniMatch's
    crop = (stated["crop"], stated["crop"])
    for half in (cfg.train_dataloader.dataset.labeled, cfg.train_dataloader.dataset.unlabeled):
        steps = {step.type: step for step in half.pipeline}
        resize = steps["RandomResize"].ratio_range if data == "cityscapes" else steps["RandomScale"].scale
        assert (resize, steps["RandomFlip"].prob) == ((0.5, 2.0), 0.5)
        assert steps["RandomCrop"].crop_size == model.data_preprocessor.size == crop
        assert "PhotoMetricDistortion" not in steps
    assert (cfg.train_dataloader.batch_size, cfg.train_dataloader.sampler.ratio) == (4, (1, 1))
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == ("SGD", 0.9, 1e-4)
    factor = cfg.optim_wrapper.get("paramwise_cfg", {}).get("custom_keys", {}).get("backbone", {"lr_mult": 1.0})
    assert (optimizer.lr * factor["lr_mult"], optimizer.lr) == pytest.approx(stated["lr"])
    [schedule] = cfg.param_scheduler
    assert (schedule.type, schedule.power, schedule.eta_min) == ("PolyLR", 0.9, 0.0)
    assert schedule.end == cfg.train_cfg.max_iters == stated["steps"]


@pytest.mark.parametrize("data", ["demo", "camvid_1-8"])
@pytest.mark.parametrize("method", BASELINES)
def test_short_configs_are_on_the_footing_of_css(method: str, data: str) -> None:
    cfg, css = load(f"{method}/{method}_lite0_{data}"), load(f"css/css_lite0_{data}")
    assert cfg.train_dataloader == css.train_dataloader
    for key in ("optim_wrapper", "param_scheduler", "train_cfg", "val_dataloader", "val_evaluator", "randomness"):
        assert cfg[key] == css[key], key
    assert cfg.model.data_preprocessor == css.model.data_preprocessor
    assert cfg.model.segmentor.backbone == css.model.segmentor.backbone
    assert cfg.model.get("augmentation") == (None if method == "cps" else css.model.augmentation)


def test_numbers_of_unimatch_v2s_authors() -> None:
    cfg = load("unimatch_v2/unimatch_v2_dinov2-b_voc_1-8")
    model, head, backbone = cfg.model, cfg.model.segmentor.decode_head, cfg.model.segmentor.backbone
    assert (backbone.arch, backbone.patch_size, backbone.out_indices) == ("base", 14, (2, 5, 8, 11))
    assert (head.channels, head.post_process_channels, head.embed_dims) == (128, [96, 192, 384, 768], 768)
    assert model.data_preprocessor.size == (518, 518) and model.data_preprocessor.test_cfg.size_divisor == 14
    assert model.teacher == {"decay": 0.996, "mode": "eval", "buffers": "average"}
    assert model.augmentation == {"type": "StrongView", "partner": "opposite"}
    assert model.pseudo_label_loss.threshold == 0.95
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.betas, optimizer.weight_decay, optimizer.lr) == (
        "AdamW",
        (0.9, 0.999),
        0.01,
        2e-4,
    )
    assert optimizer.lr * cfg.optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult == pytest.approx(5e-6)
    assert cfg.train_dataloader.batch_size == 2 * 16 // 4
    assert cfg.param_scheduler[0].end == cfg.train_cfg.max_iters == 60 * (10_582 - 183) // 16
    assert (cfg.param_scheduler[0].power, cfg.param_scheduler[0].eta_min) == (0.9, 0.0)
