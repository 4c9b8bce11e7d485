# The strong view of methods/css_short.py, for methods that are compared with it.
augmentation = dict(type="StrongAugmentation", scale=(0.75, 1.5), mixing="cutmix")
