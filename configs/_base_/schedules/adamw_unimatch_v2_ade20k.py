# UniMatch V2 on ADE20K: 60 epochs of the 17 683 images that are unlabelled with 2527, in batches of 8.
_base_ = "./adamw_unimatch_v2_voc.py"
max_iters = 132622
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters)
