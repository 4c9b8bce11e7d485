# What all trainings on idd_lite share; `mmseg-css study` adds method and list.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/idd_lite.py",
    "../_base_/schedules/adamw_camvid.py",
]
segmentor = dict(decode_head=dict(num_classes=_base_.num_classes))
