# The whole image at once, at its own size: what results on VOC, COCO and ADE20K compare with.
model = dict(test_cfg=dict(mode="whole"))
