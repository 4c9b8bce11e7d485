# UniMatch V2, VOC blended, CPS's 1/8 (1323 labelled images); batch 4 + 4 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/voc_518.py",
    "../_base_/schedules/adamw_unimatch_v2_voc.py",
    "../_base_/methods/unimatch_v2.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-blended-cps-1323.txt"
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
_base_.labeled.ann_file = _base_.unlabeled.exclude = labeled_list
train_dataloader = dict(batch_size=8, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
