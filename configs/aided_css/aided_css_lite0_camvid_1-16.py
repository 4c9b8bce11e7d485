_base_ = "./aided_css_lite0_camvid_1-8.py"
labeled_list = "configs/splits/camvid/1-16.txt"
train_dataloader = dict(dataset=dict(labeled=dict(ann_file=labeled_list), unlabeled=dict(exclude=labeled_list)))
