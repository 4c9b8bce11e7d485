# Surfaces of hot-rolled steel, grey, and their defects: 1200 + 300 images of 200 x 200.
_base_ = "./small.py"
metainfo = dict(
    classes=["background", "inclusion", "patches", "scratches"],
)
num_classes = len(metainfo["classes"])
images = "data/neu_seg/images"
masks = "data/neu_seg/labels"
labeled_list = "configs/splits/neu_seg/1-30.txt"
train = dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train")
labeled = dict(metainfo=metainfo, data_prefix=train, ann_file=labeled_list)
unlabeled = dict(data_prefix=dict(img_path=f"{images}/train"), exclude=labeled_list)
val_dataloader = dict(
    dataset=dict(metainfo=metainfo, data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"))
)
test_dataloader = val_dataloader
