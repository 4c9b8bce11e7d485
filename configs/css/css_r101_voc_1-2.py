_base_ = "./css_r101_voc_1-8.py"
labeled_list = "data/splits/voc-blended-u2pl-5291.txt"
train_dataloader = dict(dataset=dict(labeled=dict(ann_file=labeled_list), unlabeled=dict(exclude=labeled_list)))
