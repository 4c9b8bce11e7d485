# As in UniMatch: output stride 16, two 3x3 convolutions in the decoder.
_base_ = "./deeplabv3plus_r101_os16.py"
segmentor = dict(decode_head=dict(refinements=1))
