"""What a trained method says of images with truth, and where it is wrong."""
