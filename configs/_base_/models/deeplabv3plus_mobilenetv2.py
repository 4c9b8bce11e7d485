# Another small network for two CPU cores: `mmseg-css data weights --network mobilenetv2` writes its ImageNet weights.
_base_ = "./deeplabv3plus_efficientnet-lite0.py"
preprocessing = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
segmentor = dict(
    backbone=dict(
        model_name="mobilenetv2_100", init_cfg=dict(checkpoint="work_dirs/pretrained/mobilenetv2_stride-16.pth")
    ),
    decode_head=dict(in_channels=96),
)
