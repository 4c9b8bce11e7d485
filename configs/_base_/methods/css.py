# CSS with the settings of the paper (VOC). `segmentor` and the data are the leaf's.
_base_ = "./semi.py"
model = dict(
    type="CSS",
    strategy="mix",
    teacher=dict(decay=0.99, mode="train", buffers="own"),
    teacher_sees="both",
    prototype_decay=0.99,
    augmentation=dict(type="StrongAugmentation", scale=(0.5, 1.5), mixing="cutmix"),
    pseudo_label_loss=dict(type="PseudoLabelLoss", threshold=0.97),
    # "per_query" is the paper's; this has the same expected loss and gradient for a small part of the time.
    contrast_loss=dict(
        type="PrototypeContrastLoss", num_queries=256, num_negatives=512, sharing="per_class", temperature=0.5
    ),
    weak_threshold=0.7,
    strong_threshold=0.8,
    temperature=0.5,
)
