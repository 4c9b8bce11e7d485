# COCO 2017 with 81 classes (80 things and background), masks made from the instance annotations. PseudoSeg's lists.
num_classes = 81
crop_size = (513, 513)
images = "data/coco/images"
masks = "data/coco/masks"
labeled_list = "data/splits/coco-pseudoseg-925.txt"
preprocessing = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=crop_size,
)
weak_view = [
    dict(type="RandomScale", scale=(0.5, 2.0)),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=1.0),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
labeled = dict(
    type="COCOObjectDataset",
    data_prefix=dict(img_path=f"{images}/train2017", seg_map_path=f"{masks}/train2017"),
    ann_file=labeled_list,
    pipeline=[dict(type="LoadImageFromFile"), dict(type="LoadAnnotations"), *weak_view],
)
unlabeled = dict(
    type="UnlabeledDataset",
    data_prefix=dict(img_path=f"{images}/train2017"),
    exclude=labeled_list,
    pipeline=[dict(type="LoadImageFromFile"), *weak_view],
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
        type="COCOObjectDataset",
        data_prefix=dict(img_path=f"{images}/val2017", seg_map_path=f"{masks}/val2017"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
