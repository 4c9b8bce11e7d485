"""Lists of labelled images: published ones imported, own ones chosen and described."""
