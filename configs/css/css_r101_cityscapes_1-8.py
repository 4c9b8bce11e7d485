# CSS, Cityscapes, U2PL's 1/8 (372 labelled images); batch 4 + 4 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101.py",
    "../_base_/datasets/cityscapes.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.decode_head.loss_decode = dict(type="OhemCrossEntropyLoss", threshold=0.7, min_kept=50000)
segmentor.test_cfg = dict(mode="slide", crop_size=_base_.crop_size, stride=(513, 513))
segmentor.decode_head.update(type="DeepLabV3PlusProjectionHead", projection=dict(type="ProjectionBranch"))
model = dict(
    data_preprocessor=_base_.preprocessing,
    segmentor=segmentor,
    augmentation=dict(crop=_base_.crop_size, scale=(0.5, 2.0)),
    strong_threshold=0.97,
)
train_dataloader = dict(batch_size=8, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
