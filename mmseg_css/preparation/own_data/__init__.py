"""From folders of images and masks to configs that train: what ``mmseg-css init`` does.

``folders`` pairs images with masks, ``survey`` looks into every file, ``coding`` says which value or colour is which
class, ``split`` takes the validation images, ``configs`` writes the files, ``report`` says it all in words, with the
``oddities`` that are no errors, those of the split in ``odd_split``.

What ``mmseg-css data masks`` does comes before: ``annotations`` makes masks of files of LabelMe and COCO, whose
``shapes`` it paints.
"""
