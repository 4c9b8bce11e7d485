# CPS on COCO, for as many steps as PC2Seg: the paper has no COCO.
_base_ = "./sgd_cps_voc.py"
train_cfg = dict(max_iters=200_000, val_interval=10_000)
default_hooks = dict(checkpoint=dict(interval=10_000))
