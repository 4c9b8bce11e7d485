# CPS, VOC blended, its 1/8 (1323 labelled images); batch 8 + 8 on one GPU.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r50_os16.py",
    "../_base_/datasets/voc_512.py",
    "../_base_/schedules/sgd_cps_voc.py",
    "../_base_/methods/cps.py",
]
segmentor = _base_.segmentor
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
