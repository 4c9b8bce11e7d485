_base_ = "../configs/fixmatch/fixmatch_lite0_demo.py"
custom_imports = dict(imports=["labels_alone"])
model = dict(
    _delete_=True,
    type="LabelsAlone",
    data_preprocessor=dict(type="SemiDataPreprocessor", size=_base_.crop_size, **_base_.preprocessing),
    segmentor=_base_.segmentor,
)
