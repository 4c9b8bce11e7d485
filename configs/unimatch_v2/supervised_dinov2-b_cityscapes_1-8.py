# The labelled images of unimatch_v2_dinov2-b_cityscapes_1-8.py only, for as many steps.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/dpt_dinov2-b.py",
    "../_base_/datasets/cityscapes_798.py",
    "../_base_/schedules/adamw_unimatch_v2_cityscapes.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
# 200 000 pixels of the two images of a batch.
segmentor.decode_head.loss_decode = dict(type="OhemCrossEntropyLoss", threshold=0.7, min_kept=100000)
segmentor.test_cfg = dict(mode="slide", crop_size=_base_.crop_size, stride=(532, 532))
model = dict(**segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=2, num_workers=4, dataset=_base_.labeled)
