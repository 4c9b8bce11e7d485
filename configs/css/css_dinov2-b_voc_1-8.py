# CSS with the network and schedule of UniMatch V2, VOC, 183 labelled images; batch 4 + 4 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/voc_518.py",
    "../_base_/schedules/adamw_unimatch_v2_voc.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.update(type="MapDPTProjectionHead", projection=dict(type="ProjectionBranch"))
# The strong view scales and flips, after the teacher has labelled the images.
unlabeled = _base_.unlabeled
unlabeled.pipeline = [step for step in unlabeled.pipeline if step.type not in ("RandomScale", "RandomFlip")]
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor, augmentation=dict(crop=_base_.crop_size))
train_dataloader = dict(batch_size=8, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=unlabeled))
