# Where tools/init_dataset.py starts: the learning rates of CamVid, and a look at the validation images now and then.
_base_ = "./adamw_short.py"
max_iters = 2000
optim_wrapper = dict(
    optimizer=dict(lr=3e-3),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),  # it is pretrained, the head is not
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-6, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
