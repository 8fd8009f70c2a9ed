import numpy as np
import pytest
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.maps import fixed_target, upsample
from medxray.explain.scorecam import scorecam_graph
from medxray.models.inference import trunk
from tests.fixtures.tiny_networks import PIXELS, headed_network, images, linear_network, to_one


def explained(model, layer, pixels, *, channels=0, target=0):
    return scorecam_graph(model, layer, channels=channels)(tf.constant(pixels), fixed_target(target)).maps.numpy()


def test_the_map_is_what_the_algorithm_gives_by_hand():
    """Masks x/12 and 1 - x/12 leave pixels of mean (0+16+64+144)/48 = 14/3 and 6 - 14/3 = 4/3.

    S = mean(A1) = mean of the masked image: weights softmax(14/3, 4/3) = w, 1 - w; map: w x + (1 - w)(12 - x).
    """
    w = 1 / (1 + np.exp(4 / 3 - 14 / 3))
    expected = w * PIXELS[0, ..., 0] + (1 - w) * (12 - PIXELS[0, ..., 0])
    maps = explained(linear_network([[1.0, 0.0], [0.0, 0.0]]), "conv", PIXELS)
    np.testing.assert_allclose(maps[0], to_one(expected), atol=1e-5)


def slowly(model, pixel, target, channels=None):
    """One image, channel by channel."""
    first = np.asarray(model.get_layer("first")(model.get_layer("preprocess")(pixel[None])))
    planes = np.moveaxis(np.asarray(model.get_layer("last")(first))[0], -1, 0)
    if channels:
        planes = planes[np.argsort(-planes.var(axis=(1, 2)))[:channels]]
    scores = []
    for plane in planes:
        large = upsample(plane[None], pixel.shape[:2]).numpy()[0]
        mask = (large - large.min()) / (np.ptp(large) + 1e-7)
        logits = trunk(model)((pixel * mask[..., None])[None])[0].numpy()[0]
        scores.append(logits[target] - np.delete(logits, target).mean())
    weights = np.exp(np.array(scores) - max(scores))
    heat = np.maximum(np.tensordot(weights / weights.sum(), planes, 1), 0)
    return (heat - heat.min()) / (np.ptp(heat) + 1e-7)


@pytest.mark.parametrize("channels", [0, 3])
def test_images_of_a_batch_are_explained_as_one_by_one_also_by_some_channels(channels):
    model, pixels = headed_network(), images(5)  # 40 masked images: more than go through the network together
    for found, pixel in zip(explained(model, "last", pixels, channels=channels, target=1), pixels, strict=True):
        np.testing.assert_allclose(found, slowly(model, pixel, 1, channels), atol=1e-3)


def test_more_channels_than_there_are_means_all():
    model, pixels = headed_network(), images()
    maps = [explained(model, "last", pixels, channels=count) for count in (0, 8, 99)]
    np.testing.assert_allclose(maps[1], maps[0], atol=1e-5)
    np.testing.assert_allclose(maps[2], maps[0], atol=1e-5)


def test_where_no_mask_changes_the_score_the_map_is_0():
    assert not explained(headed_network(), "last", np.zeros((2, 12, 12, 3), np.float32)).any()


def test_an_unknown_layer_is_refused():
    with pytest.raises(ConfigError, match="Layer 'nowhere' does not exist"):
        scorecam_graph(headed_network(), "nowhere", channels=0)
