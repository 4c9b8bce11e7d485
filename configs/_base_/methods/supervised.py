# The baseline: an ordinary MMSeg model, trained on the labelled images only.
model = dict(data_preprocessor=dict(type="SegDataPreProcessor"))
train_dataloader = dict(persistent_workers=True, sampler=dict(type="SeededSampler"))
