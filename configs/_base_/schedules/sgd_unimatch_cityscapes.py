# UniMatch on Cityscapes: 240 epochs of the 2603 images that are unlabelled with 372, in batches of 8; one rate for all.
_base_ = "./sgd_80k.py"
optim_wrapper = dict(optimizer=dict(lr=0.005, nesterov=False, weight_decay=1e-4))
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, by_epoch=False)]
train_cfg = dict(max_iters=78_090)
