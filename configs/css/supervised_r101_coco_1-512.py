_base_ = "./supervised_r101_coco_1-128.py"
train_dataloader = dict(dataset=dict(ann_file="data/splits/coco-pseudoseg-232.txt"))
