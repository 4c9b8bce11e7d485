# What all trainings on camvid with MobileNetV2 share; `mmseg-css study` adds method and list.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_mobilenetv2.py",
    "../_base_/datasets/camvid.py",
    "../_base_/schedules/adamw_camvid.py",
]
