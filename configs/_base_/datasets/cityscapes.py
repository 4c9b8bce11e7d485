# Cityscapes, 2975 training images. CSS uses U2PL's labelled lists.
num_classes = 19
crop_size = (769, 769)
images = "data/cityscapes/leftImg8bit"
masks = "data/cityscapes/gtFine"
labeled_list = "data/splits/cityscapes-u2pl-372.txt"
preprocessing = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=crop_size,
)
labeled = dict(
    type="CityscapesDataset",
    data_prefix=dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train"),
    ann_file=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="LoadAnnotations"),
        dict(type="RandomResize", scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=1.0),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PhotoMetricDistortion"),
        dict(type="PackSegInputs"),
    ],
)
unlabeled = dict(
    type="UnlabeledDataset",
    data_prefix=dict(img_path=f"{images}/train"),
    suffixes=("_leftImg8bit.png",),
    exclude=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="RandomCrop", crop_size=crop_size),
        dict(type="PackSegInputs"),
    ],
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CityscapesDataset",
        data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
