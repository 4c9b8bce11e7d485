_base_ = "./supervised_dinov2-b_cityscapes_1-8.py"
train_dataloader = dict(dataset=dict(ann_file="data/splits/cityscapes-unimatch-186.txt"))
