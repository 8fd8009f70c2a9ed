import itertools

import numpy as np
import pytest
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.maps import fixed_target
from medxray.explain.occlusion import FILLS, covers_of, occlusion_graph
from medxray.explain.occlusion_grid import OcclusionGrid, grids_of
from tests.fixtures.tiny_networks import headed_network, images, place_network, to_one


def explained(model, pixels, *, target=0, **options):
    chosen = {"patch": 2, "stride": 1, "fill": "zero", "coarse": 0, "sizes": 1} | options
    return occlusion_graph(model, None, **chosen)(tf.constant(pixels), fixed_target(target)).maps.numpy()


def test_a_pixel_has_the_mean_fall_over_the_patches_that_cover_it():
    """On a 3 x 3 image of ones the four patches of 2 x 2 take away the sums of their weights: 1, 5, -3, 2."""
    weights = [[1, 0, 4], [0, 0, 1], [-4, 1, 0]]
    falls = np.array([[1, 5], [-3, 2]])
    expected = [
        [falls[0, 0], falls[0].mean(), falls[0, 1]],
        [falls[:, 0].mean(), falls.mean(), falls[:, 1].mean()],
        [falls[1, 0], falls[1].mean(), falls[1, 1]],
    ]
    maps = explained(place_network(weights), np.ones((1, 3, 3, 1), np.float32))
    np.testing.assert_allclose(maps[0], to_one(np.maximum(expected, 0)), atol=1e-5)


@pytest.mark.parametrize(("fill", "change"), [("zero", 8), ("mean", 8 - 2), ("blur", 8 - 2)])
def test_fills_cover_with_black_the_mean_colour_or_the_image_out_of_focus(fill, change):
    """One bright pixel of 8 among four: the mean and the blur over the whole image are 2."""
    pixels = np.zeros((1, 2, 2, 1), np.float32)
    pixels[0, 0, 0] = 8
    grid = explained(place_network([[1, 0], [0, 0]]), pixels, patch=1, fill=fill)
    np.testing.assert_allclose(grid[0], [[1, 0], [0, 0]], atol=1e-6)
    covers = np.broadcast_to(covers_of(tf.constant(pixels), fill, 1), pixels.shape)
    assert pixels[0, 0, 0, 0] - covers[0, 0, 0, 0] == pytest.approx(change)


@pytest.mark.parametrize(("side", "patch", "stride"), [(10, 4, 3), (7, 3, 2), (5, 5, 2), (9, 2, 2)])
def test_patches_cover_the_right_and_the_bottom_edge(side, patch, stride):
    grid = OcclusionGrid((side, side + 1), patch, stride)
    squares = grid.squares(tf.range(grid.count)).numpy()
    assert (squares.sum(axis=(1, 2)) == patch * patch).all()
    assert squares.any(axis=0).all() == (stride <= patch)
    assert squares[-1, -1, -1] == 1


@pytest.mark.parametrize("fill", FILLS)
def test_images_of_a_batch_are_explained_as_one_by_one(fill):
    model, pixels = headed_network(), images(3)
    together = explained(model, pixels, patch=4, stride=3, fill=fill)
    for row in range(3):
        alone = explained(model, pixels[row : row + 1], patch=4, stride=3, fill=fill)
        np.testing.assert_allclose(together[row], alone[0], atol=1e-4)


def test_coarse_to_fine_tries_fewer_patches_and_finds_the_same_place():
    weights = np.zeros((16, 16))
    weights[9:12, 3:6] = 1
    model, pixels = place_network(weights), np.ones((1, 16, 16, 1), np.float32)
    full, coarse = (explained(model, pixels, patch=4, stride=2, coarse=value)[0] for value in (0, 1))
    grid = OcclusionGrid((16, 16), 4, 2)
    first, others = grid.coarse()
    assert (len(first), len(others), grid.count) == (16, 33, 49)
    assert np.unravel_index(full.argmax(), full.shape) == np.unravel_index(coarse.argmax(), coarse.shape)
    np.testing.assert_allclose(coarse[9:12, 3:6], full[9:12, 3:6], atol=0.25)
    assert coarse[:5].max() == 0


def test_one_patch_as_large_as_the_image_leaves_nothing_to_refine():
    maps = explained(place_network(np.ones((4, 4))), np.ones((1, 4, 4, 1), np.float32), patch=4, coarse=1)
    assert maps.shape == (1, 4, 4) and not maps.any()


def mean_falls(weights, patch, stride):
    """What an image of ones loses where a patch covers it with black: the sum of the weights under the patch."""
    total, times = np.zeros_like(weights), np.zeros_like(weights)
    for row, column in itertools.product(range(0, len(weights) - patch + 1, stride), repeat=2):
        place = slice(row, row + patch), slice(column, column + patch)
        total[place] += weights[place].sum()
        times[place] += 1
    return total / times


def test_maps_of_several_sizes_are_added_before_what_is_below_0_is_cut_off():
    weights = np.random.default_rng(0).integers(-3, 4, (8, 8)).astype(float)
    maps = explained(place_network(weights), np.ones((1, 8, 8, 1), np.float32), patch=4, stride=2, sizes=2)
    both = mean_falls(weights, 4, 2) + mean_falls(weights, 6, 2)
    assert (both < 0).any() and (both > 0).any()
    np.testing.assert_allclose(maps[0], to_one(np.maximum(both, 0)), atol=1e-5)


def test_no_size_is_wider_than_the_image_and_none_is_there_twice():
    assert [grid.patch for grid in grids_of((10, 12), patch=6, stride=2, sizes=4)] == [6, 9, 10]
    assert [grid.patch for grid in grids_of((10, 12), patch=1, stride=1, sizes=2)] == [1]


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({"stride": 3}, "at most patch, 2"),
        ({"stride": 2, "coarse": 1}, "at most half of patch with coarse=1, 1"),
        ({"patch": 4, "stride": 3, "coarse": 1}, "at most half of patch with coarse=1, 2"),
    ],
)
def test_patches_that_would_leave_pixels_out_are_refused(options, most):
    with pytest.raises(ConfigError, match=f"stride of occlusion must be {most}"):
        explained(place_network(np.ones((4, 4))), np.ones((1, 4, 4, 1), np.float32), **options)


def test_a_patch_larger_than_the_image_is_refused():
    with pytest.raises(ConfigError, match="patch of occlusion must be at most 4 for tiny. Received 5"):
        explained(place_network(np.ones((4, 4))), np.ones((1, 4, 4, 1), np.float32), patch=5)
