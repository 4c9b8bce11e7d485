# ADE20K for methods whose strong view keeps the place of every pixel: random scale and flip in the weak one.
_base_ = "./ade20k.py"
unlabeled = dict(
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="RandomResize", scale=(2048, 512), ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type="RandomCrop", crop_size=(512, 512), cat_max_ratio=1.0),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PackSegInputs"),
    ]
)
