# UniMatch with the authors' settings for VOC and COCO.
_base_ = "./fixmatch.py"
model = dict(type="UniMatch", strong_weight=0.25, feature_weight=0.5, dropped=0.5)
