# PC2Seg, Cityscapes, 372 labelled images; batch 4 + 4 on each of 4 GPUs.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101_os16.py",
    "../_base_/datasets/cityscapes_weak.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/pc2seg.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.test_cfg = dict(mode="slide", crop_size=_base_.crop_size, stride=(513, 513))
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", tap="conv_seg", projection=dict(type="LinearProjection", channels=128)
)
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=8, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
