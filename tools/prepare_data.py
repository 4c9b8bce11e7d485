"""Prepare a data set: ``mmseg-css data``."""

from _door import enter

if __name__ == "__main__":
    enter("data")
