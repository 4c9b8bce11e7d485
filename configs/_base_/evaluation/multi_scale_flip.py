# Test-time augmentation with MMSeg's scales: the mean of the probabilities over 6 scales, mirrored and not. The
# transforms go between loading and LoadAnnotations of a test pipeline.
tta_model = dict(type="SegTTAModel")
tta_transforms = [
    [dict(type="Resize", scale_factor=factor, keep_ratio=True) for factor in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)],
    [dict(type="RandomFlip", prob=0.0), dict(type="RandomFlip", prob=1.0)],
]
