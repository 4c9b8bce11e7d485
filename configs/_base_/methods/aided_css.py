# Aided CSS, of this project (docs/methods.md): CSS for short runs that learns only pixels that are confident for their
# class, and whose strong views receive classes of labelled images.
_base_ = "./css_short.py"
model = dict(
    confidence_decay=0.97,
    augmentation=dict(labeled_share=0.5),
    pseudo_label_loss=dict(type="MaskedPseudoLabelLoss", threshold=0.9),
)
