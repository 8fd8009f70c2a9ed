import numpy as np
import pytest
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.cam import cam_graph, score_shares
from medxray.explain.gradcam import gradcam_graph
from medxray.explain.maps import fixed_target, target_scores
from medxray.models.inference import trunk
from tests.fixtures.tiny_networks import PIXELS, headed_network, images, linear_network, place_network, to_one


def test_the_map_is_the_weighted_sum_of_the_activations_by_hand():
    """S = 3 mean(A1) + mean(A2) less 1 mean(A1) + 2 mean(A2): each cell adds 2 x - (12 - x) = 3 x - 12."""
    model = linear_network([[3.0, 1.0], [1.0, 2.0]])
    shares, _, _ = score_shares(model)(tf.constant(PIXELS), fixed_target(0))
    np.testing.assert_allclose(shares[0], [[-12, 0], [12, 24]], atol=1e-5)
    maps = cam_graph(model, None)(tf.constant(PIXELS), fixed_target(0)).maps
    np.testing.assert_allclose(maps[0], [[0, 0], [0.5, 1]], atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("normalize", [True, False])
def test_the_mean_of_the_map_is_the_target_score_but_for_a_constant(normalize, classes):
    model, pixels = headed_network(normalize=normalize, classes=classes), tf.constant(images(7))
    for target in range(classes):
        shares, logits, _ = score_shares(model)(pixels, fixed_target(target))
        scores = target_scores(trunk(model)(pixels)[0], fixed_target(target)).numpy()
        rest = scores - shares.numpy().mean(axis=(1, 2))
        assert np.ptp(scores) > 100 * np.ptp(rest)
        np.testing.assert_allclose(rest, rest[0], atol=1e-4 * np.abs(scores).max())


def test_each_image_has_the_map_of_its_own_class():
    model, pixels = headed_network(), tf.constant(images(3))
    together = cam_graph(model, None)(pixels, lambda _: tf.constant([2, 0, 1])).maps
    for row, target in enumerate((2, 0, 1)):
        alone = cam_graph(model, None)(pixels[row : row + 1], fixed_target(target)).maps
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_without_normalisation_it_is_gradcam_of_the_last_layer():
    """For such heads Grad-CAM's weights are the head's, divided by the number of cells."""
    model, pixels = headed_network(normalize=False), tf.constant(images(3))
    maps = [
        build(model, layer)(pixels, fixed_target(1)).maps
        for build, layer in ((cam_graph, None), (gradcam_graph, "last"))
    ]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-4)


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (lambda: headed_network(units=4), "hidden"),
        (lambda: place_network(np.ones((2, 2))), "pooled"),
    ],
)
def test_other_heads_are_refused_with_what_to_train(model, layer):
    with pytest.raises(ConfigError, match=f"'{layer}' in it. Train with --head-units 0, or") as raised:
        cam_graph(model(), None)
    assert len(str(raised.value).splitlines()) == 1


def test_what_speaks_against_the_class_is_not_shown():
    model = linear_network([[-1.0, 0.0], [0.0, 0.0]])
    assert not cam_graph(model, None)(tf.constant(PIXELS), fixed_target(0)).maps.numpy().any()
    np.testing.assert_allclose(
        cam_graph(model, None)(tf.constant(PIXELS), fixed_target(1)).maps[0], to_one(PIXELS[0, ..., 0]), atol=1e-6
    )
