import numpy as np
import tensorflow as tf

from medxray.explain.maps import fixed_target
from medxray.explain.rise import random_masks, rise_graph
from tests.fixtures.tiny_networks import headed_network, images, place_network, to_one


def explained(model, pixels, *, masks=50, cells=3, keep=0.5, seed=0):
    graph = rise_graph(model, None, masks=masks, cells=cells, keep=keep, seed=seed)
    return graph(tf.constant(pixels), fixed_target(0)).maps.numpy()


def test_the_map_is_the_sum_of_the_masks_weighted_by_their_scores_less_the_mean():
    weights = np.arange(16.0).reshape(4, 4) - 5
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 1)).astype(np.float32)
    masks = random_masks((4, 4), masks=40, cells=2, keep=0.5, seed=3)(tf.range(40)).numpy()
    scores = (masks * pixels[0, ..., 0] * weights).sum(axis=(1, 2))
    expected = np.tensordot(scores - scores.mean(), masks, 1)
    maps = explained(place_network(weights), pixels, masks=40, cells=2, seed=3)
    np.testing.assert_allclose(maps[0], to_one(expected), atol=1e-4)


def test_the_place_that_the_score_comes_from_stands_out():
    weights = np.zeros((12, 12))
    weights[2:5, 7:10] = 1
    (heat,) = explained(place_network(weights), np.full((1, 12, 12, 1), 100, np.float32), masks=400, cells=4)
    inside = heat[2:5, 7:10].mean()
    heat[1:6, 6:11] = np.nan
    assert inside > 0.85 and np.nanmean(heat) < 0.4


def test_masks_are_between_0_and_1_and_as_much_is_seen_as_asked_for():
    made = random_masks((21, 13), masks=300, cells=4, keep=0.3, seed=1)
    masks = made(tf.range(300)).numpy()
    assert masks.shape == (300, 21, 13) and masks.min() >= 0 and masks.max() <= 1
    assert abs(masks.mean() - 0.3) < 0.02
    assert len(np.unique(masks.reshape(300, -1), axis=0)) > 290
    np.testing.assert_array_equal(made(tf.constant([7, 7, 2])), masks[[7, 7, 2]])


def test_masks_and_maps_do_not_depend_on_the_batch_and_repeat():
    model, pixels = headed_network(), images(3)
    together, again = explained(model, pixels), explained(model, pixels)
    np.testing.assert_allclose(together, again, atol=1e-5)
    for row in range(3):
        np.testing.assert_allclose(together[row], explained(model, pixels[row : row + 1])[0], atol=1e-4)
    assert np.abs(together - explained(model, pixels, seed=1)).max() > 0.05


def test_where_no_mask_changes_the_score_the_map_is_0():
    assert not explained(headed_network(), np.zeros((1, 12, 12, 3), np.float32)).any()
