# The labelled images of unimatch_r101_voc_1-8.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101_unimatch.py",
    "../_base_/datasets/voc_321.py",
    "../_base_/schedules/sgd_unimatch_voc.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=2, num_workers=4, dataset=_base_.labeled)
