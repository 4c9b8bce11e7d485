# UniMatch V2 on ADE20K: 60 epochs of the 17 683 images that are unlabelled with 2527, in batches of 8.
_base_ = "./adamw_unimatch_v2_voc.py"
train_cfg = dict(max_iters=132_622)
