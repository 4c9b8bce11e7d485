# What all trainings on the demo with MobileNetV2 share; `mmseg-css study` adds method and list.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_mobilenetv2.py",
    "../_base_/datasets/demo.py",
    "../_base_/schedules/adamw_short.py",
]
segmentor = dict(
    decode_head=dict(num_classes=_base_.num_classes, loss_decode=dict(_delete_=True, **_base_.loss_decode))
)
