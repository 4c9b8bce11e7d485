"""Look into a checkpoint: ``python tools/diagnose.py CONFIG CHECKPOINT``, which is ``mmseg-css diagnose``."""

from _door import enter

if __name__ == "__main__":
    enter("diagnose")
