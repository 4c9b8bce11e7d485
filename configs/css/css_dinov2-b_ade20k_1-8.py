# CSS as UniMatch V2 trains, ADE20K, 2527 labelled images, encoder locked; batch 2 + 2 on 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/ade20k_518.py",
    "../_base_/schedules/adamw_unimatch_v2_ade20k.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.backbone.frozen_stages = 12  # all of its blocks
segmentor.decode_head.update(type="MapDPTProjectionHead", projection=dict(type="ProjectionBranch"))
# The strong view scales and flips, after the teacher has labelled the images.
unlabeled = _base_.unlabeled
unlabeled.pipeline = [step for step in unlabeled.pipeline if step.type not in ("RandomScale", "RandomFlip")]
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor, augmentation=dict(crop=_base_.crop_size))
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=unlabeled))
