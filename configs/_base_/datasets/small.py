# What data sets of photographs of some 300 pixels share: a size at which two CPU cores train them in minutes.
# Their files name `labeled`, `unlabeled` and `val_dataloader.dataset`; all is evaluated at full resolution.
scale = (160, 120)
crop_size = (112, 112)
labeled = dict(
    type="BaseSegDataset",
    img_suffix=".jpg",
    seg_map_suffix=".png",
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="LoadAnnotations"),
        dict(type="RandomResize", scale=scale, ratio_range=(0.75, 1.75), keep_ratio=True),
        dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PhotoMetricDistortion"),
        dict(type="PackSegInputs"),
    ],
)
unlabeled = dict(
    type="UnlabeledDataset",
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="Resize", scale=scale, keep_ratio=True),
        dict(type="RandomCrop", crop_size=crop_size),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PackSegInputs"),
    ],
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=scale, keep_ratio=True),
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="BaseSegDataset", img_suffix=".jpg", seg_map_suffix=".png", pipeline=test_pipeline),
)
test_dataloader = val_dataloader
