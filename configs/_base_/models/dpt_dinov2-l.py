# The same with DINOv2-L.
_base_ = "./dpt_dinov2-b.py"
segmentor = dict(
    backbone=dict(
        arch="large",
        out_indices=(4, 11, 17, 23),
        init_cfg=dict(
            checkpoint="https://mmassets.onedl.ai/mmpretrain/v1.0/dinov2/"
            "vit-large-p14_dinov2-pre_3rdparty_20230426-f3302d9e.pth",
        ),
    ),
    decode_head=dict(
        in_channels=(1024, 1024, 1024, 1024),
        channels=256,
        embed_dims=1024,
        post_process_channels=[256, 512, 1024, 1024],
    ),
)
