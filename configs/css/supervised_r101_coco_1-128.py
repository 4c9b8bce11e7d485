# The labelled images of css_r101_coco_1-128.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101.py",
    "../_base_/datasets/coco.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=8, num_workers=8, dataset=_base_.labeled)
