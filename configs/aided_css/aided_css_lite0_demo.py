# Aided CSS on the footing of ../css/css_lite0_demo.py. Its baseline is ../css/supervised_lite0_demo.py.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/demo.py",
    "../_base_/schedules/adamw_short.py",
    "../_base_/methods/aided_css.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.loss_decode = _base_.loss_decode
segmentor.decode_head.update(
    num_classes=_base_.num_classes,
    type="DeepLabV3PlusProjectionHead",
    projection=dict(type="ProjectionBranch", channels=64, hidden=64),
)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing),
    segmentor=segmentor,
)
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
