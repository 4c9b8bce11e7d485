_base_ = "./supervised_r50_cityscapes_1-8.py"
train_dataloader = dict(dataset=dict(ann_file="data/splits/cityscapes-unimatch-744.txt"))
