# UniMatch V2 on COCO: 20 epochs of the 117 362 images that are unlabelled with 925, in batches of 8.
_base_ = "./adamw_unimatch_v2_voc.py"
max_iters = 293405
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters)
