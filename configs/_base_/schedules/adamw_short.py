# For small runs on two CPU cores: ten minutes for the demo. The rate stays as it is to the end: so short a training is not
# over before its teacher has learnt (docs/budgets.md).
max_iters = 1000
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-2, fused=True))
param_scheduler = [dict(type="ConstantLR", factor=1.0, begin=0, end=max_iters, by_epoch=False)]
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
