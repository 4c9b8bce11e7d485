"""Predict images without masks: ``mmseg-css predict``."""

from _door import enter

if __name__ == "__main__":
    enter("predict")
