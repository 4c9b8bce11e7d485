# The labelled images of pc2seg_r101_voc-blended_1-8.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101_os16.py",
    "../_base_/datasets/voc_fine.py",
    "../_base_/schedules/sgd_30k.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-blended-cps-1323.txt"
_base_.labeled.ann_file = labeled_list
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=8, num_workers=8, dataset=_base_.labeled)
