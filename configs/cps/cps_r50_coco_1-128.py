# CPS, COCO, 925 labelled images, settings of VOC; batch 8 + 8 on one GPU. Not of the paper.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r50_os16.py",
    "../_base_/datasets/coco.py",
    "../_base_/schedules/sgd_cps_coco.py",
    "../_base_/methods/cps.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
