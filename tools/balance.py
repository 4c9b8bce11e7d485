"""Let classes with few labelled pixels be predicted more often, without training: ``mmseg-css balance``."""

from _door import enter

if __name__ == "__main__":
    enter("balance")
