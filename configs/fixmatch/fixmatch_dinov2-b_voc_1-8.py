# FixMatch with a teacher, UniMatch V2's baseline, VOC, 183 labelled images; batch 4 + 4 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/voc_518.py",
    "../_base_/schedules/adamw_unimatch_v2_voc.py",
    "../_base_/methods/fixmatch.py",
]
segmentor = _base_.segmentor
model = dict(
    data_preprocessor=_base_.preprocessing,
    segmentor=segmentor,
    labeller="teacher",
    augmentation=dict(partner="opposite"),
    teacher=dict(decay=0.996, mode="eval", buffers="average"),
)
train_dataloader = dict(batch_size=8, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
