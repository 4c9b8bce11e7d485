# PC2Seg on COCO: 200 000 iterations, as in the paper; the rest is CSS's, since we do not know the paper's.
_base_ = "./sgd_80k.py"
max_iters = 200000
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-4, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=10000)
default_hooks = dict(checkpoint=dict(interval=10000))
