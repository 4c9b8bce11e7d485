# FixMatch as UniMatch's authors train it on VOC, COCO and ADE20K.
_base_ = "./semi.py"
model = dict(
    type="FixMatch",
    augmentation=dict(type="StrongView"),
    pseudo_label_loss=dict(type="MaskedPseudoLabelLoss", threshold=0.95),
)
