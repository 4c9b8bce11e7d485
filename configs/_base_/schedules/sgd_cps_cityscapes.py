# CPS on Cityscapes: its optimiser; the rate and the number of steps are ours.
_base_ = "./sgd_80k.py"
optim_wrapper = dict(
    optimizer=dict(nesterov=False, weight_decay=1e-4), paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0)
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, by_epoch=False)]
