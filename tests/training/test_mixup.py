"""Pairs of images that are averaged."""

import numpy as np
import tensorflow as tf

from medxray.training.mixup import Mix, draw_shares, mix_batches


def test_a_row_is_averaged_with_the_row_at_the_mirrored_place():
    rows, shares = tf.constant([[1.0, 2.0], [3.0, 6.0], [5.0, 0.0]]), tf.constant([[0.75], [0.5], [1.0]])
    mixed = Mix()(rows, shares, training=True).numpy()
    np.testing.assert_allclose(mixed, [[0.75 + 1.25, 1.5], [3.0, 6.0], [5.0, 0.0]])
    np.testing.assert_array_equal(Mix()(rows, shares, training=False), rows)


def batches():
    rows = tf.data.Dataset.from_tensor_slices(
        (np.eye(5, dtype=np.float32), np.arange(5) % 2, np.float32([1, 2, 3, 4, 5]))
    )
    return rows.batch(2)


def test_labels_and_weights_are_mixed_as_the_images_are():
    shares = draw_shares(5, 0.4, seed=[1, 2])
    mixed = list(mix_batches(batches(), 0.4, count=5, batch_size=2, classes=2, seed=[1, 2]).as_numpy_iterator())
    (rows, given), labels, weights = mixed[0]
    np.testing.assert_array_equal(given, shares[:2])
    np.testing.assert_allclose(labels[0], [shares[0, 0], 1 - shares[0, 0]], rtol=1e-6)
    np.testing.assert_allclose(labels[1], [1 - shares[1, 0], shares[1, 0]], rtol=1e-6)
    np.testing.assert_allclose(weights[0], shares[0, 0] * 1 + (1 - shares[0, 0]) * 2, rtol=1e-6)
    np.testing.assert_allclose(mixed[2][1], [[1, 0]], atol=1e-6)  # the last batch is one image, its own partner
    assert len(mixed) == 3 and rows.shape == (2, 5)


def test_shares_follow_the_seed():
    np.testing.assert_array_equal(draw_shares(9, 0.2, seed=[3, 1]), draw_shares(9, 0.2, seed=[3, 1]))
    assert not np.array_equal(draw_shares(9, 0.2, seed=[3, 1]), draw_shares(9, 0.2, seed=[3, 2]))
    drawn = draw_shares(4000, 0.2, seed=0)
    assert drawn.min() >= 0 and drawn.max() <= 1 and abs(drawn.mean() - 0.5) < 0.03
    assert ((drawn < 0.05) | (drawn > 0.95)).mean() > 0.5  # alpha .2: most pairs are hardly mixed
