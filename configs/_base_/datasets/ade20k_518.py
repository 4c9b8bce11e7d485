# ADE20K as in UniMatch V2: crops of 518 pixels. The list is our own, and images are evaluated at their own size,
# rounded up to whole patches.
_base_ = "./ade20k.py"
crop_size = (518, 518)
weak_view = [
    dict(type="RandomScale", scale=(0.5, 2.0)),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=1.0),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
preprocessing = dict(size=crop_size, test_cfg=dict(size_divisor=14))
labeled = dict(pipeline=[dict(type="LoadImageFromFile"), dict(type="LoadAnnotations"), *weak_view])
unlabeled = dict(pipeline=[dict(type="LoadImageFromFile"), *weak_view])
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="ResizeToMultiple", size_divisor=14),  # the size of a patch
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
