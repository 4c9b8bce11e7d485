# Small sets of photographs: as many steps as `mmseg-css init` gives them (docs/budgets.md).
_base_ = "./adamw_short.py"
max_iters = 3500
optim_wrapper = dict(
    optimizer=dict(lr=3e-3),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),  # it is pretrained, the head is not
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
