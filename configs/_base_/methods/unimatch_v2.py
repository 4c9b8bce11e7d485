# UniMatch V2 with the authors' settings.
_base_ = "./fixmatch.py"
model = dict(
    type="UniMatchV2",
    teacher=dict(decay=0.996, mode="eval", buffers="average"),
    augmentation=dict(partner="opposite"),
)
