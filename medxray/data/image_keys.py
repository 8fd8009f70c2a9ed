"""Numbers that stand for images in seeds. No TensorFlow."""

import numpy as np


def image_keys(digests):
    """Numbers that depend on the content of images alone, so that what is drawn follows the image.

    Args:
        digests: iterable of SHA-256 digests, hexadecimal.

    Returns:
        int64 array (n,), at least 0 and below 2^48.
    """
    return np.asarray([int(digest[:12], 16) for digest in digests], np.int64)
