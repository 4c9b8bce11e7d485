# UniMatch V2 on VOC: 60 epochs of the 10 399 images that are unlabelled with 183, in batches of 16. The authors' epochs
# are 1 % longer with 92 labelled images and 12 % shorter with 1464; here all lists have as many steps.
_base_ = "./sgd_80k.py"
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=2e-4, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.025))),  # 5e-6
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, by_epoch=False)]
train_cfg = dict(max_iters=38_996)
