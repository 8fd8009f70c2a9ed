import numpy as np
import tensorflow as tf

from medxray.explain.maps import fixed_target
from medxray.explain.saliency import saliency_graph
from tests.fixtures.tiny_networks import PIXELS, place_network


def test_the_map_is_the_size_of_the_gradient():
    """The gradients are 1, 3, -2 and 0.5; without signs and scaled to 0-1: (1 - .5) / 2.5, 1, (2 - .5) / 2.5, 0."""
    model = place_network([[1, 3], [-2, 0.5]])
    for target in (0, 1):
        maps = saliency_graph(model, None)(tf.constant(PIXELS), fixed_target(target)).maps
        np.testing.assert_allclose(maps[0], [[0.2, 1], [0.6, 0]], atol=1e-6)
