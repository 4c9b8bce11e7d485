# The study of docs/comparing.md, "Several data sets":
#     mmseg-css study configs/evidence/study.py --jobs 2
# The files beside this one say what the trainings on a data set share, configs/splits/ which images are labelled.
five = ["camvid", "idd_lite", "labelmefacade", "neu_seg", "car_parts"]
fractions = ["1-30", "1-16", "1-8"]
imbalanced = ["1-30_rho-0", "1-30_rho-1", "1-30_rho-2"]
spaces = ["css", "css_logit", "css_cross", "css_confidence", "css_no_contrast"]
seeds = [0, 1, 2]
baseline = "supervised"
ceiling = "all_labels"
parts = {
    "1-30": dict(fraction="1-30", data=five, methods=["css", "pc2seg", "fixmatch", "unimatch", "aided_css"]),
    "1-8": dict(fraction="1-8", data=five, methods=["css", "fixmatch", "unimatch", "aided_css"]),
    "1-30 others": dict(
        fraction="1-30", data=["camvid", "car_parts"], methods=["css_logit", "css_cross", "unimatch_v2", "cps"]
    ),
    "budgets 1-30": dict(fraction="1-30", data=["camvid"], methods=["css", "aided_css"]),
    "budgets 1-16": dict(fraction="1-16", data=["camvid"], methods=["css", "aided_css"]),
    "budgets 1-8": dict(fraction="1-8", data=["camvid"], methods=["css", "pc2seg", "aided_css"]),
    "budgets of pc2seg": dict(fraction="1-30", data=["camvid"], methods=["pc2seg"]),
    # Whether PC2Seg gains more where its views differ more (docs/pc2seg.md); as long as trainings of it that are there.
    "views of pc2seg": dict(fraction="1-8", data=["camvid"], methods=["pc2seg", "pc2seg_strong"], steps=2000),
    # So many seeds as show a gain of four points that scatter by two and a half.
    "three lists": dict(fraction=fractions, data=["camvid"], methods=["css", "pc2seg"], seeds=[0, 1, 2, 3, 4]),
    # How long is long enough (docs/budgets.md).
    "1000 steps": dict(fraction=fractions, data=["camvid"], methods=["css", "pc2seg"], steps=1000),
    "2000 steps": dict(fraction=fractions, data=["camvid"], methods=["css", "pc2seg", "aided_css"], steps=2000),
    "parts of aided_css": dict(
        fraction="1-30",
        data=["camvid"],
        methods=[
            *("css", "css_masked", "css_relative", "aided_css"),
            *("aided_css_absolute", "aided_css_strict", "aided_css_truth", "fixmatch", "fixmatch_aided"),
        ],
    ),
    # Which of the two spaces labels, what tells hard pixels, and whether there is a contrast (docs/findings.md): beside
    # css_confidence css_logit differs in the labels alone, beside css in what tells hard pixels, too.
    "spaces on the demo": dict(fraction="8", data=["demo", "demo_mobilenetv2"], methods=spaces),
    "spaces": dict(fraction="1-30", data=["camvid", "idd_lite", "camvid_mobilenetv2"], methods=spaces),
    # What the shares of the classes in the labelled list do.
    "imbalance": dict(fraction=imbalanced, data=["camvid"], methods=["css", "aided_css"]),
    "all methods": dict(
        fraction="1-16",
        data=["camvid"],
        methods=[
            *("css", "pc2seg", "fixmatch", "mean_teacher"),
            *("unimatch", "unimatch_v2", "cps", "cps_cutmix", "aided_css"),
        ],
    ),
}
# Methods of mmseg-css init under other settings.
variants = dict(
    all_labels=dict(method="supervised", labeled=""),
    css_logit=dict(method="css", settings=dict(strategy="logit")),
    css_confidence=dict(method="css", settings=dict(indicator="confidence")),
    css_no_contrast=dict(method="css", settings={"contrast_loss.loss_weight": 0.0}),
    # What of aided_css does it: without labelled images in the strong views, also without thresholds for each class;
    # with them, but one threshold; with a threshold of 1, which half of the pixels reach, since a confidence beside the
    # mean of its class ends there; with hardly a pseudo-label (a plain confidence is 1 on 0.6 % of the pixels, roads,
    # as seen once); FixMatch with labelled images.
    css_masked=dict(method="css", settings={"pseudo_label_loss.type": "MaskedPseudoLabelLoss"}),
    css_relative=dict(
        method="css", settings={"pseudo_label_loss.type": "MaskedPseudoLabelLoss", "confidence_decay": 0.97}
    ),
    aided_css_absolute=dict(method="aided_css", settings={"confidence_decay": None}),
    aided_css_strict=dict(method="aided_css", settings={"pseudo_label_loss.threshold": 1.0}),
    aided_css_truth=dict(method="aided_css", settings={"pseudo_label_loss.threshold": 1.0, "confidence_decay": None}),
    # More of each at once, up to what FixMatch and CSS do to their strong views: were it better, one would ask which.
    pc2seg_strong=dict(
        method="pc2seg",
        settings={"augmentation.jitter": 0.8, "augmentation.blur_probability": 0.5, "augmentation.box_area": 0.5},
    ),
    fixmatch_aided=dict(method="fixmatch", settings={"augmentation.labeled_share": 0.5}),
    # With 14 classes the confidences of the representation space stay below 0.81 (mmseg_css/models/segmentors/css.py).
    css_cross=dict(
        method="css", settings={"strategy": "cross", "cross_warmup": 200, "pseudo_label_loss.threshold": 0.5}
    ),
)
# Frames of a video are no independent images: neighbours that the test over images swaps together. The validation
# images of idd_lite are of 61 drives, up to 14 of one, and follow each other by drive.
blocks = dict(camvid=10, camvid_mobilenetv2=10, idd_lite=12)
# Of the data sets without a folder in configs/splits.
lists = dict(
    demo="data/demo/splits/labeled_{fraction}.txt",
    demo_mobilenetv2="data/demo/splits/labeled_{fraction}.txt",
    camvid_mobilenetv2="configs/splits/camvid/{fraction}.txt",
)
