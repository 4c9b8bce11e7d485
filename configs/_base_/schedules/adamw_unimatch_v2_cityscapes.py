# UniMatch V2 on Cityscapes: 180 epochs of the 2603 images that are unlabelled with 372, in batches of 8.
_base_ = "./adamw_unimatch_v2_voc.py"
max_iters = 58567
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters)
