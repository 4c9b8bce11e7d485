# CPS without CutMix, with the authors' weight for VOC (Cityscapes: 6).
_base_ = "./semi.py"
model = dict(type="CPS", pseudo_label_loss=dict(type="MaskedPseudoLabelLoss", threshold=0.0, loss_weight=1.5))
