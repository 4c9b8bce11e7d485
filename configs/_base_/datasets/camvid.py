# CamVid at a third of its resolution, evaluated at full resolution: for two CPU cores.
num_classes = 11
scale = (160, 120)
crop_size = (96, 128)
images = "data/camvid/images"
masks = "data/camvid/labels"
labeled = dict(
    type="CamVidDataset",
    data_prefix=dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train"),
    ann_file="configs/splits/camvid/1-8.txt",
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
    data_prefix=dict(img_path=f"{images}/train"),
    exclude="configs/splits/camvid/1-8.txt",
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
    dataset=dict(
        type="CamVidDataset",
        data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
