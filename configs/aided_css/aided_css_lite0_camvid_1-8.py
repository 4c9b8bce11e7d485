# Aided CSS on the footing of ../css/css_lite0_camvid_1-8.py.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/camvid.py",
    "../_base_/schedules/adamw_camvid.py",
    "../_base_/methods/aided_css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", projection=dict(type="ProjectionBranch", channels=64, hidden=64)
)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing),
    segmentor=segmentor,
    augmentation=dict(hue=0.1),  # a quarter turn would take the green from the trees
)
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
