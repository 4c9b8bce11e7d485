# What the network learns from the labels of all 367 images, in as many steps: the end of the headroom.
_base_ = "../css/supervised_lite0_camvid_1-8.py"
train_dataloader = dict(dataset=dict(ann_file=""))
