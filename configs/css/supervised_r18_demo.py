_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_r18_half.py",
    "../_base_/datasets/demo.py",
    "../_base_/schedules/adamw_demo.py",
    "../_base_/methods/supervised.py",
]
model = dict(**_base_.segmentor, data_preprocessor=_base_.preprocessing)
train_dataloader = dict(batch_size=8, num_workers=1, dataset=_base_.labeled)
