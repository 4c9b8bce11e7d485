"""Naive transcriptions of the equations, to test against, never to train with.

Every function of ``mmseg_css.functional`` has a twin here, in a module of the same name, written from the description
of the algorithm alone: Python loops over images, pixels, classes, queries and negatives, one float64 number at a time,
NumPy arrays in and out. Nothing here imports ``mmseg_css`` or is vectorised, because its only virtue is that a reader
can check each line against the paper; where the two sides disagree, the description decides which of them is wrong.
"""
