"""Lists of labelled images: ``mmseg-css split``."""

from _door import enter

if __name__ == "__main__":
    enter("split")
