# PC2Seg. The overview of the paper that we have gives none of these numbers. The colour jitter is PseudoSeg's, whose
# protocol the paper follows; the rest is ours (docs/pc2seg.md).
_base_ = "./semi.py"
model = dict(
    type="PC2Seg",
    rampup=0.5,
    augmentation=dict(
        type="StrongAugmentation",
        scale=(1.0, 1.0),
        mixing="cutout",
        box_area=0.25,
        jitter=0.5,
        hue=0.25,
        jitter_probability=1.0,
        blur_probability=0.0,
        flip_probability=0.0,
    ),
    consistency_loss=dict(type="CosineConsistencyLoss", loss_weight=1.0),
    contrast_loss=dict(
        type="PixelContrastLoss",
        sampler="different_image_debiased",
        num_anchors=256,
        num_negatives=128,
        temperature=0.5,
        loss_weight=0.01,
    ),
)
