"""Files that hold several pictures, of which only the first is ever read."""

from typing import Final

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

SUBFILE_TYPE: Final = 254  # the tag of a TIFF's page that says what it is of another one
REDUCED, TRANSPARENCY = 1, 4  # its bits


def holds_more(picture: Image.Image) -> bool:
    """Whether there are further pages or frames, which are pictures of their own.

    They are not where a camera adds a preview (MPO), or a TIFF overviews that are smaller, or its transparency.
    """
    try:
        if isinstance(picture, TiffImageFile):
            return _holds_pages(picture)
        return getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO"
    except Exception:  # decoders raise what they like; whether the first picture can be read shows when it is
        return False


def _holds_pages(picture: TiffImageFile) -> bool:
    width, height = picture.size
    try:
        for page in range(1, picture.n_frames):
            picture.seek(page)
            smaller = picture.width < width and picture.height < height
            if not smaller and not picture.tag_v2.get(SUBFILE_TYPE, 0) & (REDUCED | TRANSPARENCY):
                return True
        return False
    finally:
        picture.seek(0)
