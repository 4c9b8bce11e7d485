# ADE20K, 150 classes, 20 210 training images, sized as in MMSeg. The list is our own.
num_classes = 150
crop_size = (512, 512)
scale = (2048, 512)
images = "data/ade/ADEChallengeData2016/images"
masks = "data/ade/ADEChallengeData2016/annotations"
labeled_list = "data/splits/ade20k-own-2527.txt"
preprocessing = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=crop_size,
)
labeled = dict(
    type="ADE20KDataset",
    data_prefix=dict(img_path=f"{images}/training", seg_map_path=f"{masks}/training"),
    ann_file=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="LoadAnnotations"),
        dict(type="RandomResize", scale=scale, ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PhotoMetricDistortion"),
        dict(type="PackSegInputs"),
    ],
)
unlabeled = dict(
    type="UnlabeledDataset",
    data_prefix=dict(img_path=f"{images}/training"),
    exclude=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="Resize", scale=scale, keep_ratio=True),
        dict(type="RandomCrop", crop_size=crop_size),
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
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="ADE20KDataset",
        data_prefix=dict(img_path=f"{images}/validation", seg_map_path=f"{masks}/validation"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
