# CSS, COCO, 925 labelled images, settings of VOC; batch 8 + 8 on one GPU. Not of the paper.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101.py",
    "../_base_/datasets/coco.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.decode_head.update(type="DeepLabV3PlusProjectionHead", projection=dict(type="ProjectionBranch"))
# The strong view scales and flips, after the teacher has labelled the images.
unlabeled = _base_.unlabeled
unlabeled.pipeline = [step for step in unlabeled.pipeline if step.type not in ("RandomScale", "RandomFlip")]
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor, augmentation=dict(crop=_base_.crop_size))
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=unlabeled))
