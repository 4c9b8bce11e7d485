# FixMatch as in UniMatch, VOC blended, CPS's 1/8 (1323 labelled images); batch 2 + 2 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101_unimatch.py",
    "../_base_/datasets/voc_321.py",
    "../_base_/schedules/sgd_unimatch_voc_blended.py",
    "../_base_/methods/fixmatch.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-blended-cps-1323.txt"
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
_base_.labeled.ann_file = _base_.unlabeled.exclude = labeled_list
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
