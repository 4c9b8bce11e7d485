# DPT with DINOv2-B, patches of 14 pixels, as in UniMatch V2. Of the four levels only the last passes the final norm,
# and the head has batch norm: both as in MMPretrain and MMSeg. In an evaluation images are resized to multiples of 14.
norm_cfg = dict(type="SyncBN", requires_grad=True)
segmentor = dict(
    type="EncoderDecoder",
    backbone=dict(
        type="mmpretrain.VisionTransformer",
        arch="base",
        img_size=518,
        patch_size=14,
        layer_scale_init_value=1e-5,
        out_type="featmap",
        out_indices=(2, 5, 8, 11),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://mmassets.onedl.ai/mmpretrain/v1.0/dinov2/"
            "vit-base-p14_dinov2-pre_3rdparty_20230426-ba246503.pth",
            prefix="backbone.",
        ),
    ),
    decode_head=dict(
        type="MapDPTHead",
        in_channels=(768, 768, 768, 768),
        in_index=(0, 1, 2, 3),
        input_transform="multiple_select",
        channels=128,
        embed_dims=768,
        post_process_channels=[96, 192, 384, 768],
        patch_size=14,
        dropout_ratio=0,
        num_classes=21,
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(type="PixelCrossEntropyLoss"),
    ),
    test_cfg=dict(mode="whole"),
)
