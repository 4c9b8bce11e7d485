# CSS with the network and schedule of UniMatch V2, Cityscapes, 372 labelled images; batch 2 + 2 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/cityscapes_798.py",
    "../_base_/schedules/adamw_unimatch_v2_cityscapes.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
# 200 000 pixels of the two images of a batch.
segmentor.decode_head.loss_decode = dict(type="OhemCrossEntropyLoss", threshold=0.7, min_kept=100000)
segmentor.test_cfg = dict(mode="slide", crop_size=_base_.crop_size, stride=(532, 532))
segmentor.decode_head.update(type="MapDPTProjectionHead", projection=dict(type="ProjectionBranch"))
# The strong view scales and flips, after the teacher has labelled the images.
unlabeled = _base_.unlabeled
unlabeled.pipeline = [step for step in unlabeled.pipeline if step.type not in ("RandomResize", "RandomFlip")]
model = dict(
    data_preprocessor=_base_.preprocessing,
    segmentor=segmentor,
    augmentation=dict(crop=_base_.crop_size, scale=(0.5, 2.0)),
    strong_threshold=0.97,
)
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=unlabeled))
