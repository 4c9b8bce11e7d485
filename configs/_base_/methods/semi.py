# What every semi-supervised method here shares: labelled and unlabelled images in one batch.
model = dict(data_preprocessor=dict(type="SemiDataPreprocessor"))
train_dataloader = dict(
    persistent_workers=True,
    sampler=dict(type="PairedSampler", ratio=(1, 1)),
    collate_fn=dict(type="paired_collate"),
    dataset=dict(type="PairedDataset"),
)
