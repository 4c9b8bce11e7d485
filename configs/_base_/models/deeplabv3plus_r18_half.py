# A DeepLabV3+ with ResNet-18 of half width, output stride 16, for small images; trained from scratch.
norm_cfg = dict(type="BN", requires_grad=True)
preprocessing = dict(mean=[127.0] * 3, std=[64.0] * 3, bgr_to_rgb=True, pad_val=0, seg_pad_val=255, size_divisor=16)
segmentor = dict(
    type="EncoderDecoder",
    backbone=dict(
        type="ResNet",
        depth=18,
        stem_channels=32,
        base_channels=32,
        out_indices=(0, 3),
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        norm_cfg=norm_cfg,
        norm_eval=False,
        init_cfg=[
            dict(type="Kaiming", layer="Conv2d"),
            dict(type="Constant", val=1, layer=["_BatchNorm", "GroupNorm"]),
        ],
    ),
    decode_head=dict(
        type="DeepLabV3PlusHead",
        in_channels=256,
        in_index=1,
        channels=64,
        low_in_channels=32,
        low_channels=16,
        dilations=(1, 2, 4),
        dropout_ratio=0,
        num_classes=9,
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
