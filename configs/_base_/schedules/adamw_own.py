# Where mmseg-css init starts: the schedule of CamVid, and a look at the validation images now and then.
_base_ = "./adamw_camvid.py"
train_cfg = dict(val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
