# The labelled images of unimatch_v2_dinov2-b_coco_1-128.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/coco_518.py",
    "../_base_/schedules/adamw_unimatch_v2_coco.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.backbone.frozen_stages = 12  # all of its blocks
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=2, num_workers=4, dataset=_base_.labeled)
