_base_ = "./css_r101_coco_1-128.py"
labeled_list = "data/splits/coco-pseudoseg-463.txt"
train_dataloader = dict(dataset=dict(labeled=dict(ann_file=labeled_list), unlabeled=dict(exclude=labeled_list)))
