# PASCAL VOC 2012 with SBD's masks ("blended", 10 582 training images). CSS uses U2PL's labelled lists.
num_classes = 21
crop_size = (512, 512)
images = "data/VOCdevkit/VOC2012/JPEGImages"
masks = "data/VOCdevkit/VOC2012/SegmentationClassAug"
train_list = "data/VOCdevkit/VOC2012/ImageSets/Segmentation/trainaug.txt"
labeled_list = "data/splits/voc-blended-u2pl-1323.txt"
preprocessing = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=crop_size,
)
labeled = dict(
    type="PascalVOCDataset",
    data_prefix=dict(img_path=images, seg_map_path=masks),
    ann_file=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="LoadAnnotations"),
        dict(type="RandomScale", scale=(0.5, 1.5)),
        dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=1.0),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PhotoMetricDistortion"),
        dict(type="PackSegInputs"),
    ],
)
unlabeled = dict(
    type="UnlabeledDataset",
    data_prefix=dict(img_path=images),
    ann_file=train_list,
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
        type="PascalVOCDataset",
        data_prefix=dict(img_path=images, seg_map_path="data/VOCdevkit/VOC2012/SegmentationClass"),
        ann_file="data/VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt",
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
