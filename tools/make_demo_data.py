"""Generate the demo data set: ``mmseg-css data demo``."""

from _door import enter

if __name__ == "__main__":
    enter("data", "demo")
