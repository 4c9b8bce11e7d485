# DeepLabV3+ with ResNet-101 (torchvision's stem), output stride 8, as in the CSS paper.
norm_cfg = dict(type="SyncBN", requires_grad=True)
segmentor = dict(
    type="EncoderDecoder",
    backbone=dict(
        type="ResNet",
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=norm_cfg,
        norm_eval=False,
        style="pytorch",
        contract_dilation=True,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"),
    ),
    decode_head=dict(
        type="DeepLabV3PlusHead",
        in_channels=2048,
        in_index=3,
        channels=256,
        low_in_channels=256,
        low_channels=48,
        dilations=(1, 12, 24, 36),
        dropout_ratio=0,
        num_classes=21,
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(type="PixelCrossEntropyLoss"),
    ),
    test_cfg=dict(mode="whole"),
)
