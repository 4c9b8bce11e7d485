# The same with ResNet-50.
_base_ = "./deeplabv3plus_r101_os16.py"
segmentor = dict(backbone=dict(depth=50, init_cfg=dict(checkpoint="torchvision://resnet50")))
