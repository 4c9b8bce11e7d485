_base_ = "./supervised_lite0_camvid_1-8.py"
train_dataloader = dict(dataset=dict(ann_file="configs/splits/camvid/1-30.txt"))
