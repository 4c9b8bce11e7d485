# The labelled images of cps_r50_voc_1-8.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r50_os16.py",
    "../_base_/datasets/voc_512.py",
    "../_base_/schedules/sgd_cps_voc.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-classic-183.txt"
_base_.labeled.ann_file = labeled_list
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=8, num_workers=8, dataset=_base_.labeled)
