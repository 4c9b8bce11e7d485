_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/camvid.py",
    "../_base_/schedules/adamw_camvid.py",
    "../_base_/methods/css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", projection=dict(type="ProjectionBranch", channels=64, hidden=96)
)
# A run of 600 steps on a network trained with OHEM, hence less confident: lower thresholds, prototypes that follow
# quickly, a contrast that does not outweigh the labels.
model = dict(
    data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing),
    segmentor=segmentor,
    teacher_sees="unlabeled",
    prototype_decay=0.9,
    augmentation=dict(scale=(0.75, 1.5)),
    pseudo_label_loss=dict(threshold=0.7),
    contrast_loss=dict(num_queries=64, num_negatives=128, loss_weight=0.1),
    weak_threshold=0.5,
)
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
train_cfg = dict(type="PairedTrainLoop")
