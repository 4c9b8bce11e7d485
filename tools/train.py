"""Train the model of a config: ``python tools/train.py CONFIG``, which is ``mmseg-css train CONFIG``."""

from _door import enter

if __name__ == "__main__":
    enter("train")
