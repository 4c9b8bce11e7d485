# UniMatch V2 on Cityscapes: 180 epochs of the 2603 images that are unlabelled with 372, in batches of 8.
_base_ = "./adamw_unimatch_v2_voc.py"
train_cfg = dict(max_iters=58_567)
