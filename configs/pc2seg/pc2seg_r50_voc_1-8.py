# PC2Seg, VOC, 183 of the finely labelled images; batch 8 + 8 on one GPU.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r50_os16.py",
    "../_base_/datasets/voc_fine.py",
    "../_base_/schedules/sgd_30k.py",
    "../_base_/methods/pc2seg.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", tap="conv_seg", projection=dict(type="LinearProjection", channels=128)
)
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
