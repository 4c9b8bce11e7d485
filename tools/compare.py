"""Train and compare configs: ``mmseg-css compare``."""

from _door import enter

if __name__ == "__main__":
    enter("compare")
