# FixMatch on the footing of ../css/css_lite0_camvid_1-8.py.
_base_ = [
    "../_base_/default_runtime.py",
    "../_base_/models/deeplabv3plus_efficientnet-lite0.py",
    "../_base_/datasets/camvid.py",
    "../_base_/schedules/adamw_camvid.py",
    "../_base_/methods/fixmatch.py",
    "../_base_/views/short.py",
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing),
    segmentor=_base_.segmentor,
    statistics="apart",  # few labelled images would be told from the rest
    # As in CSS: a quarter turn of the hue would take the green from the trees.
    augmentation=dict(_delete_=True, **_base_.augmentation, hue=0.1),
)
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
