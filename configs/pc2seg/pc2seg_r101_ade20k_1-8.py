# PC2Seg, ADE20K, on the footing of ../css/css_r101_ade20k_1-8.py; batch 8 + 8 on one GPU. Not of the paper.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101.py",
    "../_base_/datasets/ade20k_weak.py",
    "../_base_/schedules/sgd_80k.py",
    "../_base_/methods/pc2seg.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.num_classes = _base_.num_classes
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", tap="conv_seg", projection=dict(type="LinearProjection", channels=128)
)
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
