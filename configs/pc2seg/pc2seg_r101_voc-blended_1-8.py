# PC2Seg, VOC blended, CPS's 1/8 (1323 labelled images); batch 8 + 8 on one GPU. Not of the paper.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r101_os16.py",
    "../_base_/datasets/voc_fine.py",
    "../_base_/schedules/sgd_30k.py",
    "../_base_/methods/pc2seg.py",
]
segmentor = _base_.segmentor
labeled_list = "data/splits/voc-blended-cps-1323.txt"
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", tap="conv_seg", projection=dict(type="LinearProjection", channels=128)
)
model = dict(data_preprocessor=_base_.preprocessing, segmentor=segmentor)
_base_.labeled.ann_file = _base_.unlabeled.exclude = labeled_list
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
