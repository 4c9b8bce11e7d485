# DeepLabV3+ with ResNet-101, output stride 16, as in the PC2Seg paper.
_base_ = "./deeplabv3plus_r101.py"
segmentor = dict(
    backbone=dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
    decode_head=dict(dilations=(1, 6, 12, 18)),
)
