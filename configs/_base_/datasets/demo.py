# The generated data set: `mmseg-css data demo data/demo`. 8 of 400 images are labelled.
num_classes = 5
# Its objects are small: without the choice of hard pixels the first hundreds of steps learn little but background.
loss_decode = dict(type="OhemCrossEntropyLoss", threshold=0.7, min_kept=2400)
crop_size = (96, 96)
images = "data/demo/images"
masks = "data/demo/labels"
labeled_list = "data/demo/splits/labeled_8.txt"
labeled = dict(
    type="DemoDataset",
    data_prefix=dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train"),
    ann_file=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="LoadAnnotations"),
        dict(type="RandomResize", scale=crop_size, ratio_range=(0.75, 1.5), keep_ratio=True),
        dict(type="RandomCrop", crop_size=crop_size),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PhotoMetricDistortion"),
        dict(type="PackSegInputs"),
    ],
)
unlabeled = dict(
    type="UnlabeledDataset",
    data_prefix=dict(img_path=f"{images}/train"),
    exclude=labeled_list,
    pipeline=[
        dict(type="LoadImageFromFile"),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PackSegInputs"),
    ],
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
val_dataloader = dict(
    batch_size=10,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="DemoDataset",
        data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
