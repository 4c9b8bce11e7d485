# The labelled images of unimatch_v2_dinov2-b_voc-blended_1-8.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/voc_518.py",
    "../_base_/schedules/adamw_unimatch_v2_voc.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-blended-cps-1323.txt"
_base_.labeled.ann_file = labeled_list
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=4, num_workers=4, dataset=_base_.labeled)
