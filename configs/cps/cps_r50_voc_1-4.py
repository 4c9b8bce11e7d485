_base_ = "./cps_r50_voc_1-8.py"
labeled_list = "data/splits/voc-classic-366.txt"
train_dataloader = dict(dataset=dict(labeled=dict(ann_file=labeled_list), unlabeled=dict(exclude=labeled_list)))
