# UniMatch V2 on COCO: 20 epochs of the 117 362 images that are unlabelled with 925, in batches of 8.
_base_ = "./adamw_unimatch_v2_voc.py"
train_cfg = dict(max_iters=293_405)
