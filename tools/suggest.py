"""Say which images to label next: ``mmseg-css suggest``."""

from _door import enter

if __name__ == "__main__":
    enter("suggest")
