"""What grey levels are: the weights of the colours, and deep samples brought to 0-255. No TensorFlow."""

import numpy as np

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: weights of red, green and blue, as in a JPEG's Y channel


def by_content_range(pixels):
    """Scale samples so that the least of the content is 0 and the greatest 255.

    Args:
        pixels: array of any shape and number type.

    Returns:
        float32 array of the same shape; all 0 where all samples are equal.
    """
    low, high = float(pixels.min()), float(pixels.max())
    return (pixels.astype(np.float32) - low) * np.float32(255.0 / max(high - low, 1.0))
