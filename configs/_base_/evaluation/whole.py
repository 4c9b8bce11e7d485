# The whole image at once: what results on VOC and COCO compare with.
model = dict(test_cfg=dict(mode="whole"))
