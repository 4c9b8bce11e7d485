# UniMatch on VOC classic: 80 epochs of the 10 399 images that are unlabelled with 183, in batches of 8. The authors'
# epochs are 1 % longer with 92 labelled images and 12 % shorter with 1464; here all lists have as many steps.
_base_ = "./sgd_80k.py"
optim_wrapper = dict(
    optimizer=dict(lr=0.01, nesterov=False, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),  # 0.001
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, by_epoch=False)]
train_cfg = dict(max_iters=103_990)
