_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/demo.py",
    "../_base_/schedules/adamw_short.py",
    "../_base_/methods/supervised.py",
]
segmentor = _base_.segmentor
segmentor.decode_head.loss_decode = _base_.loss_decode
segmentor.decode_head.update(num_classes=_base_.num_classes)
model = dict(**segmentor, data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing))
train_dataloader = dict(batch_size=4, num_workers=1, dataset=_base_.labeled)
