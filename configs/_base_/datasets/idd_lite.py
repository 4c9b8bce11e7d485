# Streets of India (Varma et al. 2019, the small edition): 1403 + 204 images of 320 x 227.
_base_ = "./small.py"
metainfo = dict(
    classes=[
        "drivable",
        "non-drivable",
        "living things",
        "vehicles",
        "roadside objects",
        "far objects",
        "sky",
    ],
)
num_classes = len(metainfo["classes"])
images = "data/idd_lite/images"
masks = "data/idd_lite/labels"
labeled_list = "configs/splits/idd_lite/1-30.txt"
train = dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train")
labeled = dict(metainfo=metainfo, data_prefix=train, ann_file=labeled_list)
unlabeled = dict(data_prefix=dict(img_path=f"{images}/train"), exclude=labeled_list)
val_dataloader = dict(
    dataset=dict(metainfo=metainfo, data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"))
)
test_dataloader = val_dataloader
