_base_ = "./css_r101_voc-classic_1-8.py"
labeled_list = "data/splits/voc-classic-732.txt"
train_dataloader = dict(dataset=dict(labeled=dict(ann_file=labeled_list), unlabeled=dict(exclude=labeled_list)))
