_base_ = "./supervised_r101_voc-blended_1-8.py"
train_dataloader = dict(dataset=dict(ann_file="data/splits/voc-blended-cps-2646.txt"))
