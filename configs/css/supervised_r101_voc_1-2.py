_base_ = "./supervised_r101_voc_1-8.py"
train_dataloader = dict(dataset=dict(ann_file="data/splits/voc-blended-u2pl-5291.txt"))
