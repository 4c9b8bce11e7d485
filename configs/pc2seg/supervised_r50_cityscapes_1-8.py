# The labelled images of pc2seg_r50_cityscapes_1-8.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r50_os16.py",
    "../_base_/datasets/cityscapes_weak.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.test_cfg = dict(mode="slide", crop_size=_base_.crop_size, stride=(513, 513))
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=4, num_workers=8, dataset=_base_.labeled)
