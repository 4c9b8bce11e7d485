# The schedule of the CSS paper, on all data sets.
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="SGD", lr=6.4e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-4, by_epoch=False)]
train_cfg = dict(type="PairedTrainLoop", max_iters=80_000, val_interval=4000)
default_hooks = dict(
    data_check=dict(type="DataCheckHook"),
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="DurableCheckpointHook", by_epoch=False, interval=4000, max_keep_ckpts=2, save_best="mIoU"),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    visualization=dict(type="SegVisualizationHook"),
    splits=dict(type="SplitHook"),
    finite_step=dict(type="FiniteStepHook"),
)
