# FixMatch with a teacher (UniMatch V2's baseline), COCO, 925 labelled images, encoder locked; batch 2 + 2 on 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/coco_518.py",
    "../_base_/schedules/adamw_unimatch_v2_coco.py",
    "../_base_/methods/fixmatch.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.backbone.frozen_stages = 12  # all of its blocks
model = dict(
    data_preprocessor=_base_.preprocessing,
    segmentor=segmentor,
    labeller="teacher",
    augmentation=dict(partner="opposite"),
    teacher=dict(decay=0.996, mode="eval", buffers="average"),
)
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
