"""The demo: ``mmseg-css demo``."""

from _door import enter

if __name__ == "__main__":
    enter("demo")
