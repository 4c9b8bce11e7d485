# Facades and streets (Froehlich, Rodner, Denzler 2010), at 320 pixels: 745 + 200 images.
_base_ = "./small.py"
metainfo = dict(
    classes=["building", "car", "door", "pavement", "road", "sky", "vegetation", "window"],
)
num_classes = len(metainfo["classes"])
images = "data/labelmefacade/images"
masks = "data/labelmefacade/labels"
labeled_list = "configs/splits/labelmefacade/1-30.txt"
train = dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train")
labeled = dict(metainfo=metainfo, data_prefix=train, ann_file=labeled_list)
unlabeled = dict(data_prefix=dict(img_path=f"{images}/train"), exclude=labeled_list)
val_dataloader = dict(
    dataset=dict(metainfo=metainfo, data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"))
)
test_dataloader = val_dataloader
