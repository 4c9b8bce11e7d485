# For small runs on two CPU cores: some minutes for the demo.
max_iters = 800
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-2, fused=True))
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-6, by_epoch=False)]
train_cfg = dict(type="PairedTrainLoop", max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(
    data_check=dict(type="DataCheckHook"),
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="DurableCheckpointHook", by_epoch=False, interval=max_iters, max_keep_ckpts=2, save_best=None),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    visualization=dict(type="SegVisualizationHook"),
    splits=dict(type="SplitHook"),
    finite_step=dict(type="FiniteStepHook"),
    channels_last=dict(type="ChannelsLastHook"),
    depthwise=dict(type="DilatedDepthwiseHook"),
)
