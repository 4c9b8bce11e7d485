# Cityscapes as in UniMatch V2: UniMatch's lists, crops of 798 pixels.
_base_ = "./cityscapes.py"
crop_size = (798, 798)
labeled_list = "data/splits/cityscapes-unimatch-372.txt"
weak_view = [
    dict(type="RandomResize", scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=1.0),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
preprocessing = dict(size=crop_size, test_cfg=dict(size_divisor=14))
labeled = dict(
    ann_file=labeled_list, pipeline=[dict(type="LoadImageFromFile"), dict(type="LoadAnnotations"), *weak_view]
)
unlabeled = dict(exclude=labeled_list, pipeline=[dict(type="LoadImageFromFile"), *weak_view])
