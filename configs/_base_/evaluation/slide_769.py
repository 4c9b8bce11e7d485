# A sliding window of 769 x 769 pixels that moves by two thirds of itself: what results on Cityscapes compare with.
model = dict(test_cfg=dict(mode="slide", crop_size=(769, 769), stride=(513, 513)))
