"""Configs for your own images: ``mmseg-css init``."""

from _door import enter

if __name__ == "__main__":
    enter("init")
