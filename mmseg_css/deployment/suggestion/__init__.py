"""Which unlabelled images to label next, with labels to start from."""
