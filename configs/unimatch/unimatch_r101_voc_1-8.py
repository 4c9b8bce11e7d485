# UniMatch as in UniMatch, VOC, 183 of the finely labelled images; batch 2 + 2 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101_unimatch.py",
    "../_base_/datasets/voc_321.py",
    "../_base_/schedules/sgd_unimatch_voc.py",
    "../_base_/methods/unimatch.py",
]
segmentor = _base_.segmentor
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
