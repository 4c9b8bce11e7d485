# CSS for runs of some hundred steps on small images, chosen by us: teacher and prototypes that follow quickly, few
# samples, a contrast that does not outweigh the labels, no extra pass of the teacher.
_base_ = "./css.py"
model = dict(
    teacher=dict(decay=0.97),
    teacher_sees="unlabeled",
    prototype_decay=0.9,
    augmentation=dict(scale=(0.75, 1.5)),
    contrast_loss=dict(num_queries=64, num_negatives=128, sharing="per_query", loss_weight=0.1),
)
