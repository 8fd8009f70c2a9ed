import keras
import numpy as np
import pytest

from medxray.anomaly.similarity import ssim_map


def similarity(first, second):
    inputs = [keras.Input(first.shape[1:]), keras.Input(first.shape[1:])]
    return keras.Model(inputs, ssim_map(*inputs))([first, second]).numpy()


def images(seed, shape=(2, 13, 11, 2)):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


def expected_at(first, second, row, column):
    """Equation 13 in its two-variable form, on the part of the 7x7 window inside the image."""
    window = slice(max(row - 3, 0), row + 4), slice(max(column - 3, 0), column + 4)
    x, y = first[window].astype(np.float64).ravel(), second[window].astype(np.float64).ravel()
    covariance = np.cov(x, y, bias=True)
    luminance = (2 * x.mean() * y.mean() + 1e-4) / (x.mean() ** 2 + y.mean() ** 2 + 1e-4)
    return luminance * (2 * covariance[0, 1] + 9e-4) / (covariance[0, 0] + covariance[1, 1] + 9e-4)


def test_agrees_with_a_window_by_window_computation():
    first = images(0)
    second = np.clip(0.6 * first + 0.4 * images(1), 0, 1)
    found = similarity(first, second)
    assert found.shape == first.shape and found.dtype == np.float32
    for image, row, column, channel in [(0, 0, 0, 0), (0, 6, 5, 1), (1, 2, 10, 0), (1, 12, 4, 1), (1, 12, 10, 0)]:
        expected = expected_at(first[image, ..., channel], second[image, ..., channel], row, column)
        assert found[image, row, column, channel] == pytest.approx(expected, abs=1e-4)


def test_equal_images_are_alike_everywhere_and_negatives_are_not():
    first = images(2)
    np.testing.assert_allclose(similarity(first, first), 1, atol=1e-4)
    assert similarity(first, 1 - first).max() < 0


def test_constant_images_differ_by_their_luminance_alone():
    dark, bright = np.full((1, 9, 9, 1), 0.2, np.float32), np.full((1, 9, 9, 1), 0.6, np.float32)
    np.testing.assert_allclose(similarity(dark, bright), (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), atol=1e-3)
