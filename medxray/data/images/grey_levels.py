"""What grey levels are: the weights of the colours, and deep samples brought to 0-255. No TensorFlow."""

import numpy as np

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: weights of red, green and blue, as in a JPEG's Y channel
TAIL = 200  # one sample in 200, 0.5 %, may lie below the least grey level, and as many above the greatest


def content_range(samples):
    """The 0.5th and the 99.5th percentile of some samples, so that a hot pixel or a marker does not count.

    With n samples in order, these are number n // 200 from either end, so that a negative has the same range.

    Args:
        samples: array of any shape and number type, not empty.

    Returns:
        (low, high), float; the least and the greatest sample where both percentiles are equal.
    """
    rank, last = samples.size // TAIL, samples.size - 1
    low, high = np.partition(samples, (rank, last - rank), axis=None)[[rank, last - rank]]
    if low == high:
        low, high = samples.min(), samples.max()
    return float(low), float(high)


def by_percentiles(pixels, content=None):
    """Scale samples so that the 0.5th percentile of the content becomes 0 and the 99.5th 255.

    Args:
        pixels: array of any shape and number type.
        content: bool array of the same shape, True where a sample counts; None: all count.

    Returns:
        float32 array of the shape of `pixels`, 0-255; all 0 where all samples are equal.
    """
    low, high = content_range(pixels if content is None else pixels[content])
    kind = np.float64 if pixels.dtype.itemsize > 2 else np.float32
    scaled = (pixels.astype(kind) - kind(low)) * kind(255.0 / (high - low) if high > low else 0.0)
    return np.clip(scaled, 0.0, 255.0).astype(np.float32)
