# What all trainings on the demo share; `mmseg-css study` adds method and list.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/demo.py",
    "../_base_/schedules/adamw_short.py",
]
segmentor = dict(
    decode_head=dict(num_classes=_base_.num_classes, loss_decode=dict(_delete_=True, **_base_.loss_decode))
)
