"""Write a trained network as plain MMSegmentation: ``mmseg-css export``."""

from _door import enter

if __name__ == "__main__":
    enter("export")
