"""Damage inside compressed TIFF data, which OpenCV fills with black without a word. No TensorFlow."""

import io

from PIL.TiffImagePlugin import TiffImageFile


def is_damaged(content):
    """True where libtiff reports an error while it decodes `content`, the bytes of a TIFF.

    Pillow hands on libtiff's errors; what Pillow cannot open is left to the decoder that reads the pixels.
    """
    try:
        picture = TiffImageFile(io.BytesIO(content))
    except (SyntaxError, OSError, ValueError, TypeError, KeyError, IndexError):  # a kind that Pillow does not know
        return False
    try:
        picture.load()
    except OSError:
        return True
    return False
