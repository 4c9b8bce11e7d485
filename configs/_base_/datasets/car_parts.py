# Parts of cars (Pasupa et al. 2021), left and right in one class: 400 + 100 images of 256 x 256.
_base_ = "./small.py"
metainfo = dict(
    classes=[
        "background",
        "back bumper",
        "back glass",
        "back door",
        "back light",
        "front bumper",
        "front glass",
        "front door",
        "front light",
        "bonnet",
        "mirror",
        "tailgate",
        "trunk",
        "wheel",
    ],
)
num_classes = len(metainfo["classes"])
images = "data/car_parts/images"
masks = "data/car_parts/labels"
labeled_list = "configs/splits/car_parts/1-30.txt"
train = dict(img_path=f"{images}/train", seg_map_path=f"{masks}/train")
labeled = dict(metainfo=metainfo, data_prefix=train, ann_file=labeled_list)
unlabeled = dict(data_prefix=dict(img_path=f"{images}/train"), exclude=labeled_list)
val_dataloader = dict(
    dataset=dict(metainfo=metainfo, data_prefix=dict(img_path=f"{images}/val", seg_map_path=f"{masks}/val"))
)
test_dataloader = val_dataloader
