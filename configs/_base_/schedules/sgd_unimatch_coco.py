# UniMatch on COCO: 30 epochs of the 117 362 images that are unlabelled with 925, in batches of 8.
_base_ = "./sgd_unimatch_voc.py"
max_iters = 440107
optim_wrapper = dict(optimizer=dict(lr=0.04))  # and 0.004 for the backbone
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters)
