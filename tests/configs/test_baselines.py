"""What the authors of the baselines state, and the footing that the short configs share."""

import pytest

from tests.configs.groups import BASELINES, WITHOUT_STRONG_VIEW
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
    assert cfg.train_cfg.max_iters == stated["steps"]


@pytest.mark.parametrize("data", ["demo", "camvid_1-8"])
@pytest.mark.parametrize("method", BASELINES)
def test_short_configs_are_on_the_footing_of_css(method: str, data: str) -> None:
    cfg, css = load(f"{method}/{method}_lite0_{data}"), load(f"css/css_lite0_{data}")
    assert cfg.train_dataloader == css.train_dataloader
    for key in ("optim_wrapper", "param_scheduler", "train_cfg", "val_dataloader", "val_evaluator", "randomness"):
        assert cfg[key] == css[key], key
    assert cfg.model.data_preprocessor == css.model.data_preprocessor
    assert cfg.model.segmentor.backbone == css.model.segmentor.backbone
    view = {**css.model.augmentation, "labeled_share": 0.5} if method == "aided_css" else css.model.augmentation
    assert cfg.model.get("augmentation") == (None if method in WITHOUT_STRONG_VIEW else view)


V2 = {
    "dinov2-b_voc": {"classes": 21, "crop": 518, "batch": 16, "locked": False, "steps": 60 * (10_582 - 183) // 16},
    "dinov2-s_voc": {"classes": 21, "crop": 518, "batch": 16, "locked": False, "steps": 60 * (10_582 - 183) // 16},
    "dinov2-b_cityscapes": {"classes": 19, "crop": 798, "batch": 8, "locked": False, "steps": 180 * (2975 - 372) // 8},
    "dinov2-b_coco": {"classes": 81, "crop": 518, "batch": 8, "locked": True, "steps": 20 * (118_287 - 925) // 8},
    "dinov2-b_ade20k": {"classes": 150, "crop": 518, "batch": 8, "locked": True, "steps": 60 * (20_210 - 2527) // 8},
}
#: Channels of the head, those of its levels, and the width of the encoder.
DPT = {"s": (64, [48, 96, 192, 384], 384), "b": (128, [96, 192, 384, 768], 768)}


@pytest.mark.parametrize("data", V2)
def test_numbers_of_unimatch_v2s_authors(data: str) -> None:
    stated = V2[data]
    cfg = load(f"unimatch_v2/unimatch_v2_{data}_{'1-128' if data.endswith('coco') else '1-8'}")
    model, head, backbone = cfg.model, cfg.model.segmentor.decode_head, cfg.model.segmentor.backbone
    assert (backbone.patch_size, backbone.out_indices) == (14, (2, 5, 8, 11))
    assert (head.channels, head.post_process_channels, head.embed_dims) == DPT[data[len("dinov2-")]]
    assert (head.num_classes, backbone.get("frozen_stages")) == (stated["classes"], 12 if stated["locked"] else None)
    assert model.data_preprocessor.size == (stated["crop"], stated["crop"])
    assert model.data_preprocessor.test_cfg.size_divisor == 14 and stated["crop"] % 14 == 0
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        steps = [step for step in loader.dataset.pipeline if step.type == "ResizeToMultiple"]
        if data.endswith("cityscapes"):  # in windows, which are whole patches
            assert not steps and cfg.model.segmentor.test_cfg.crop_size == (798, 798)
        else:  # the mask, by which an image is judged, keeps its size
            assert [step.size_divisor for step in steps] == [14] and loader.dataset.pipeline[1] is steps[0]
    assert model.teacher == {"decay": 0.996, "mode": "eval", "buffers": "average"}
    assert model.augmentation == {"type": "StrongView", "partner": "opposite"}
    assert model.pseudo_label_loss.threshold == 0.95
    if data.endswith("cityscapes"):
        assert head.loss_decode == {"type": "OhemCrossEntropyLoss", "threshold": 0.7, "min_kept": 200_000 // 2}
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.betas, optimizer.weight_decay) == ("AdamW", (0.9, 0.999), 0.01)
    assert optimizer.lr == 2e-4
    assert optimizer.lr * cfg.optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult == pytest.approx(5e-6)
    assert cfg.train_dataloader.batch_size == 2 * stated["batch"] // 4
    assert cfg.train_cfg.max_iters == stated["steps"]
    assert (cfg.param_scheduler[0].power, cfg.param_scheduler[0].eta_min) == (0.9, 0.0)


def test_fixmatch_with_a_teacher_is_unimatch_v2s_baseline() -> None:
    own, v2 = load("fixmatch/fixmatch_dinov2-b_voc_1-8"), load("unimatch_v2/unimatch_v2_dinov2-b_voc_1-8")
    assert (own.model.type, own.model.labeller, own.model.teacher) == ("FixMatch", "teacher", v2.model.teacher)
    assert own.model.augmentation == v2.model.augmentation
    for key in ("optim_wrapper", "param_scheduler", "train_dataloader"):
        assert own[key] == v2[key], key


@pytest.mark.parametrize("method", ["fixmatch", "unimatch"])
def test_numbers_of_unimatchs_authors_on_coco(method: str) -> None:
    cfg = load(f"{method}/{method}_xception65_coco_1-128")
    assert (cfg.model.segmentor.backbone.model_name, cfg.model.segmentor.decode_head.num_classes) == ("xception65", 81)
    assert cfg.model.data_preprocessor.size == (513, 513)
    rate, factor = cfg.optim_wrapper.optimizer.lr, cfg.optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult
    assert (rate, rate * factor) == pytest.approx((0.04, 0.004))
    assert cfg.train_cfg.max_iters == 30 * (118_287 - 925) // 8


@pytest.mark.parametrize(
    ("config", "weight"),
    [
        ("cps/cps_r50_voc-blended_1-8", 1.5),
        ("cps_cutmix/cps_cutmix_r50_voc-blended_1-8", 1.0),
        ("cps/cps_r50_cityscapes_1-8", 6.0),
        ("cps_cutmix/cps_cutmix_r50_cityscapes_1-8", 5.0),
    ],
)
def test_numbers_of_cps_authors(config: str, weight: float) -> None:
    cfg = load(config)
    assert cfg.model.pseudo_label_loss == {"type": "MaskedPseudoLabelLoss", "threshold": 0.0, "loss_weight": weight}
    optimizer, paramwise = cfg.optim_wrapper.optimizer, cfg.optim_wrapper.paramwise_cfg
    assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == ("SGD", 0.9, 1e-4)
    assert (paramwise.norm_decay_mult, paramwise.bias_decay_mult) == (0.0, 0.0)
    assert cfg.param_scheduler[0].power == 0.9
    if "voc" in config:
        assert cfg.model.data_preprocessor.size == (512, 512)
        assert cfg.train_cfg.max_iters == 34 * (10_582 - 1323) // 8
