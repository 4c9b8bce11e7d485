# As deeplabv3plus_r101_unimatch.py with Xception-65, of timm, which fetches its weights; normalise with 127.5.
norm_cfg = dict(type="SyncBN", requires_grad=True)
segmentor = dict(
    type="EncoderDecoder",
    backbone=dict(
        type="TIMMBackbone",
        model_name="xception65",
        features_only=True,
        pretrained=True,
        output_stride=16,
        out_indices=(1, 4),
    ),
    decode_head=dict(
        type="DeepLabV3PlusHead",
        in_channels=2048,
        in_index=1,
        channels=256,
        low_in_channels=256,
        dilations=(1, 6, 12, 18),
        refinements=1,
        dropout_ratio=0,
        num_classes=81,
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(type="PixelCrossEntropyLoss"),
    ),
    test_cfg=dict(mode="whole"),
)
