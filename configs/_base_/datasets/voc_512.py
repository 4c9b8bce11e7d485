# PASCAL VOC 2012 as in CPS: its lists, crops of 512 pixels.
_base_ = "./voc.py"
crop_size = (512, 512)
labeled_list = "data/splits/voc-blended-cps-1323.txt"
weak_view = [
    dict(type="RandomScale", scale=(0.5, 2.0)),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=1.0),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
preprocessing = dict(size=crop_size)
labeled = dict(
    ann_file=labeled_list, pipeline=[dict(type="LoadImageFromFile"), dict(type="LoadAnnotations"), *weak_view]
)
unlabeled = dict(exclude=labeled_list, pipeline=[dict(type="LoadImageFromFile"), *weak_view])
