import numpy as np
import tensorflow as tf

from medxray.explain.maps import fixed_target
from medxray.explain.saliency import saliency_graph
from medxray.explain.smoothgrad import smoothgrad_graph
from tests.fixtures.tiny_networks import headed_network, images, square_network, to_one


def explained(model, pixels, *, samples=4, noise=0.1, seed=0):
    graph = smoothgrad_graph(model, None, samples=samples, noise=noise, seed=seed)
    return graph(tf.constant(pixels), fixed_target(0)).maps.numpy()


def test_the_map_is_the_gradient_at_the_mean_noisy_image_where_the_gradient_is_linear():
    """Image 0, 4, 8, 12: noise .25 has standard deviation 3. The mean gradient is 2 w (x + mean of the noise)."""
    pixels = np.array([[0, 4], [8, 12]], np.float32)[None, ..., None]
    noise = [tf.random.stateless_normal((2, 2, 1), [7, number]).numpy() for number in range(5)]
    at = pixels[0] + 3 * np.mean(noise, axis=0)
    expected = np.abs(2 * np.arange(1, 5).reshape(2, 2) * at[..., 0])
    maps = explained(square_network(), pixels, samples=5, noise=0.25, seed=7)
    np.testing.assert_allclose(maps[0], to_one(expected), atol=1e-5)


def test_without_noise_it_is_saliency():
    model, pixels = headed_network(), images(2)
    expected = saliency_graph(model, None)(tf.constant(pixels), fixed_target(0)).maps
    np.testing.assert_allclose(explained(model, pixels, noise=0.0), expected, atol=1e-5)


def test_a_seed_repeats_and_another_differs():
    model, pixels = headed_network(), images(2)
    first, again, other = (explained(model, pixels, noise=0.5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert np.abs(first - other).max() > 0.01


def test_the_noise_of_an_image_does_not_depend_on_the_others():
    model, pixels = headed_network(), images(3)
    together = explained(model, pixels)
    np.testing.assert_allclose(together[2], explained(model, pixels[2:])[0], atol=1e-5)
