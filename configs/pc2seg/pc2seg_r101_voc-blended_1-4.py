_base_ = "./pc2seg_r101_voc-blended_1-8.py"
labeled_list = "data/splits/voc-blended-cps-2646.txt"
train_dataloader = dict(dataset=dict(labeled=dict(ann_file=labeled_list), unlabeled=dict(exclude=labeled_list)))
