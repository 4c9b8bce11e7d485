# CPS on VOC: 34 epochs of the 9259 images that are unlabelled with 1323, in batches of 8. The rate is ours.
_base_ = "./sgd_80k.py"
optim_wrapper = dict(
    optimizer=dict(nesterov=False, weight_decay=1e-4), paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0)
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, by_epoch=False)]
train_cfg = dict(max_iters=39_350)
