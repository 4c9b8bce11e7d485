# What all trainings on neu_seg share; `mmseg-css study` adds method and list.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/neu_seg.py",
    "../_base_/schedules/adamw_camvid.py",
]
segmentor = dict(decode_head=dict(num_classes=_base_.num_classes))
max_iters = 2900  # ten passes over the unlabelled images
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-6, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
