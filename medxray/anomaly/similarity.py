"""Structural similarity of two images as a graph of built-in layers."""

from keras import layers

WINDOW = 7
_C1, _C2 = 0.01**2, 0.03**2


def ssim_map(first, second):
    """Structural similarity at each pixel, Wang, Bovik, Sheikh and Simoncelli (2004), doi:10.1109/TIP.2003.819861.

    Equation 13, (2 m1 m2 + C1)(2 s12 + C2) / ((m1^2 + m2^2 + C1)(s1^2 + s2^2 + C2)), with C1 = (0.01 L)^2 and
    C2 = (0.03 L)^2 for a data range L of 1. Deviations from the paper: means, variances and the covariance are those of
    a uniform 7x7 window (divided by the number of its pixels) instead of a Gaussian one, and at the border they are
    taken over the part of the window that lies inside the image.

    Args:
        first: keras tensor (N,H,W,C) of which 0-1 is the usual range.
        second: keras tensor of the same shape and range.

    Returns:
        keras tensor (N,H,W,C), float32, -1 to 1; 1 where the windows are equal. Rounding may pass 1 by about 1e-4.
    """
    channels = first.shape[-1]
    products = layers.Concatenate(name="ssim_products", dtype="float32")(
        [first, second, first * first, second * second, first * second]
    )
    # Two one-dimensional averages are the two-dimensional one: the window, also a cut one, is a rectangle.
    local = layers.AveragePooling2D((WINDOW, 1), 1, "same", name="ssim_rows", dtype="float32")(products)
    local = layers.AveragePooling2D((1, WINDOW), 1, "same", name="ssim_columns", dtype="float32")(local)
    mean1, mean2, square1, square2, product = (local[..., at * channels : (at + 1) * channels] for at in range(5))
    variances = square1 - mean1 * mean1 + square2 - mean2 * mean2
    covariance = product - mean1 * mean2
    return ((2.0 * mean1 * mean2 + _C1) * (2.0 * covariance + _C2)) / (
        (mean1 * mean1 + mean2 * mean2 + _C1) * (variances + _C2)
    )
