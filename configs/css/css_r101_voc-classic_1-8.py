# CSS, VOC, 183 of the finely labelled images, settings of VOC blended; batch 8 + 8 on one GPU. Not of the paper.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101.py",
    "../_base_/datasets/voc.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-classic-183.txt"
segmentor.decode_head.update(type="DeepLabV3PlusProjectionHead", projection=dict(type="ProjectionBranch"))
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor, augmentation=dict(crop=_base_.crop_size))
_base_.labeled.ann_file = _base_.unlabeled.exclude = labeled_list
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
