# CPS on COCO, for as many steps as PC2Seg: the paper has no COCO.
_base_ = "./sgd_cps_voc.py"
max_iters = 200000
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=10000)
default_hooks = dict(checkpoint=dict(interval=10000))
