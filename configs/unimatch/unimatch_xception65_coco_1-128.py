# UniMatch as in UniMatch, COCO, 925 labelled images; batch 2 + 2 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_xception65.py",
    "../_base_/datasets/coco.py",
    "../_base_/schedules/sgd_unimatch_coco.py",
    "../_base_/methods/unimatch.py",
]
segmentor = _base_.segmentor
_base_.preprocessing.update(mean=[127.5] * 3, std=[127.5] * 3)
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
