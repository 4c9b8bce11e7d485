# As slide_769.py, with the window of the works that train on crops of 801 x 801 pixels.
model = dict(test_cfg=dict(mode="slide", crop_size=(801, 801), stride=(534, 534)))
