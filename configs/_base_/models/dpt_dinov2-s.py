# The same with DINOv2-S.
_base_ = "./dpt_dinov2-b.py"
segmentor = dict(
    backbone=dict(
        arch="dinov2-small",
        init_cfg=dict(
            checkpoint="https://mmassets.onedl.ai/mmpretrain/v1.0/dinov2/"
            "vit-small-p14_dinov2-pre_3rdparty_20230426-5641ca5a.pth",
        ),
    ),
    decode_head=dict(
        in_channels=(384, 384, 384, 384), channels=64, embed_dims=384, post_process_channels=[48, 96, 192, 384]
    ),
)
