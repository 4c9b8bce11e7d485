# CPS, VOC, 183 of the finely labelled images; batch 8 + 8 on one GPU. The authors' lists are blended.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r50_os16.py",
    "../_base_/datasets/voc_512.py",
    "../_base_/schedules/sgd_cps_voc.py",
    "../_base_/methods/cps.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-classic-183.txt"
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
_base_.labeled.ann_file = _base_.unlabeled.exclude = labeled_list
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
