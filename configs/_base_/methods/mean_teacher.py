# Mean Teacher with CutMix: FixMatch with a teacher, from whom every pixel is learned. The teacher is UniMatch V2's.
_base_ = "./fixmatch.py"
model = dict(
    labeller="teacher",
    teacher=dict(decay=0.996, mode="eval", buffers="average"),
    pseudo_label_loss=dict(threshold=0.0),
)
