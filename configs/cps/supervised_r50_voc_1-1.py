_base_ = "./supervised_r50_voc_1-8.py"
train_dataloader = dict(dataset=dict(ann_file="data/splits/voc-classic-1464.txt"))
