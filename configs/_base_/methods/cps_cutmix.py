# CPS with CutMix, with the authors' weight for VOC (Cityscapes: 5). Their strong view is the mixed one, in its colours.
_base_ = "./cps.py"
model = dict(
    augmentation=dict(
        type="StrongView",
        jitter_probability=0.0,
        grey_probability=0.0,
        blur_probability=0.0,
        boxes="three",
        mixing_probability=1.0,
    ),
    pseudo_label_loss=dict(loss_weight=1.0),
)
