# What the network learns from the labels of all 400 images, in as many steps: the end of the headroom.
_base_ = "../css/supervised_lite0_demo.py"
train_dataloader = dict(dataset=dict(ann_file="data/demo/splits/train.txt"))
