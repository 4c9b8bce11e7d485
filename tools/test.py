"""Evaluate a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``, which is ``mmseg-css test``."""

from _door import enter

if __name__ == "__main__":
    enter("test")
