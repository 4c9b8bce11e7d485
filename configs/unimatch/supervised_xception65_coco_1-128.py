# The labelled images of unimatch_xception65_coco_1-128.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_xception65.py",
    "../_base_/datasets/coco.py",
    "../_base_/schedules/sgd_unimatch_coco.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
_base_.preprocessing.update(mean=[127.5] * 3, std=[127.5] * 3)
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=2, num_workers=4, dataset=_base_.labeled)
