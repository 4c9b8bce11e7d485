# PC2Seg on COCO: 200 000 iterations, as in the paper; the rest is CSS's, since we do not know the paper's.
_base_ = "./sgd_80k.py"
train_cfg = dict(max_iters=200_000, val_interval=10_000)
default_hooks = dict(checkpoint=dict(interval=10_000))
