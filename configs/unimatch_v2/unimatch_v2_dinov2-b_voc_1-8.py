# UniMatch V2, VOC, 183 of the finely labelled images; batch 4 + 4 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/voc_518.py",
    "../_base_/schedules/adamw_unimatch_v2_voc.py",
    "../_base_/methods/unimatch_v2.py",
]
model = dict(data_preprocessor=_base_.preprocessing, segmentor=_base_.segmentor)
train_dataloader = dict(batch_size=8, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
