# UniMatch on COCO: 30 epochs of the 117 362 images that are unlabelled with 925, in batches of 8.
_base_ = "./sgd_unimatch_voc.py"
optim_wrapper = dict(optimizer=dict(lr=0.04))  # and 0.004 for the backbone
train_cfg = dict(max_iters=440_107)
