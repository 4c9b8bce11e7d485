_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/camvid.py",
    "../_base_/schedules/adamw_camvid.py",
    "../_base_/methods/supervised.py",
]
model = dict(**_base_.segmentor, data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing))
train_dataloader = dict(batch_size=4, num_workers=1, dataset=_base_.labeled)
