# The same on the maps of stride 16, before the last two stages: for textures, and half of the time.
_base_ = "./deeplabv3plus_efficientnet-lite0.py"
segmentor = dict(
    backbone=dict(output_stride=32, out_indices=(1, 3)),  # no dilation: nothing reads stages that would need it
    decode_head=dict(in_channels=112),
)
# timm computes the last two stages all the same, and their weights get no gradient.
find_unused_parameters = True
