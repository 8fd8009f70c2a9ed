"""Each family on tiny images whose views are computed by hand, and what holds for all of them."""

import math

import cv2
import numpy as np
import pytest

from medxray.data.shifts.exposure import local_contrast
from medxray.data.shifts.families import FAMILIES, GROUPS, VIEWS, draw_choices, draws
from medxray.data.shifts.filters import coarse, gaussian
from medxray.data.shifts.marker import BITMAPS, LEVEL
from medxray.data.shifts.views import FUNCTIONS, Shiftable, one_view_of_each_group

KEYS = np.array([11, 12, 13])
NONE = (0, 0, 0, 0)


def smooth(count=3, height=40, width=48, channels=1):
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 255, (count, height, width)).astype(np.float32)
    blurred = np.stack([cv2.GaussianBlur(one, (0, 0), 3) for one in noise])
    stretched = 255 * (blurred - blurred.min()) / np.ptp(blurred)
    return np.repeat(np.round(stretched)[..., None], channels, axis=-1).astype(np.uint8)


def applied(monkeypatch, name, image, value, *, bars=NONE, key=11):
    """One image (h,w) under a family whose value at severity 1 is `value`: float32 (h,w)."""
    row = FAMILIES[name]
    monkeypatch.setitem(FAMILIES, name, type(row)(**{**vars(row), "values": (value,) * 3}))
    batch = Shiftable(np.asarray(image, np.float32)[None, ..., None], [key], bars=np.array([bars]))
    return batch.view(name, 1)[0, ..., 0].numpy()


def test_every_family_has_a_function():
    assert list(FUNCTIONS) == list(FAMILIES)


# framing


def test_zoom_out_by_a_half_shows_the_image_in_the_middle_with_black_around(monkeypatch):
    view = applied(monkeypatch, "zoom-out", np.full((8, 8), 100.0), 0.5)
    inner = view[2:6, 2:6]
    assert inner == pytest.approx(100, abs=1) and not np.delete(np.delete(view, range(2, 6), 0), range(2, 6), 1).any()


def test_crop_by_two_shows_the_middle_half(monkeypatch):
    image = np.zeros((9, 9))
    image[4, 4] = 200
    view = applied(monkeypatch, "crop", image, 2.0)
    assert view[4, 3:6].tolist() == [100, 200, 100] and view.sum() == pytest.approx(200 * 4)


def test_narrow_and_wide_change_the_width_alone(monkeypatch):
    image = np.tile([0, 0, 0, 0, 200, 0, 0, 0, 0], (9, 1))
    assert applied(monkeypatch, "wide", image, 2.0)[4].tolist() == [0, 0, 0, 100, 200, 100, 0, 0, 0]
    view = applied(monkeypatch, "narrow", np.full((9, 9), 80.0), 5 / 9)
    assert (view[:, 2:7] > 60).all() and not view[:, :1].any() and not view[:, 8:].any()


def test_shift_moves_by_its_share_in_the_drawn_direction(monkeypatch):
    image = np.zeros((20, 20))
    image[10, 10] = 100
    view = applied(monkeypatch, "shift", image, 0.2, key=3)
    angle = 2 * math.pi * draws("shift", 1, [3])[0][0, 0]
    centre = (view * np.arange(20)[:, None]).sum() / view.sum(), (view * np.arange(20)).sum() / view.sum()
    assert centre == pytest.approx((10 + 4 * math.sin(angle), 10 + 4 * math.cos(angle)), abs=0.02)


def test_turn_by_a_right_angle_turns_to_the_drawn_side(monkeypatch):
    image = np.arange(25, dtype=float).reshape(5, 5) * 10
    sides = set()
    for key in range(12):
        view = applied(monkeypatch, "turn", image, 90, key=key)
        (side,) = (k for k in (1, 3) if np.allclose(view, np.rot90(image, k), atol=0.05))
        sides.add(side)
        assert side == (1 if draws("turn", 1, [key])[0][0, 0] < 0.5 else 3)
    assert sides == {1, 3}


# exposure


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("gamma-dark", 2.0, [0, 64**2 / 255, 128**2 / 255, 255]),
        ("gamma-bright", 0.5, [0, (64 * 255) ** 0.5, (128 * 255) ** 0.5, 255]),
        ("brighter", 0.2, [51, 115, 179, 255]),
        ("darker", 0.2, [0, 13, 77, 204]),
        ("contrast-low", 0.5, [55.875, 87.875, 119.875, 183.375]),  # about the mean 111.75
        ("contrast-high", 2.0, [0, 16.25, 144.25, 255]),
    ],
)
def test_exposure_follows_its_formula(monkeypatch, name, value, expected):
    view = applied(monkeypatch, name, [[0, 64], [128, 255]], value)
    assert view.ravel() == pytest.approx(expected, abs=0.01)


def test_contrast_turns_about_the_mean_between_the_bars(monkeypatch):
    image = np.array([[0, 0], [60, 100], [0, 0]], float)
    view = applied(monkeypatch, "contrast-low", image, 0.5, bars=(1, 1, 0, 0))
    assert view.tolist() == [[0, 0], [70, 90], [0, 0]]


def test_local_contrast_brings_mean_and_deviation_of_a_neighbourhood_to_the_common_ones(monkeypatch):
    board = np.where(np.indices((32, 32)).sum(axis=0) % 2, 60.0, 20.0)  # mean 40, deviation 20
    view = applied(monkeypatch, "local-contrast", board, 1.0)
    middle = view[12:20, 12:20]
    assert middle.mean() == pytest.approx(127.5, abs=0.5) and middle.std() == pytest.approx(51, abs=0.5)
    half = applied(monkeypatch, "local-contrast", board, 0.5)
    assert half == pytest.approx((view + board) / 2, abs=1e-3)
    flat = applied(monkeypatch, "local-contrast", np.full((32, 32), 200.0), 1.0)
    assert flat == pytest.approx(127.5, abs=1e-2)  # not blown up to noise
    assert local_contrast.__doc__.count("Wallis") == 1


# sharpness


def test_blur_agrees_with_opencv_inside_and_keeps_a_flat_image(monkeypatch):
    image = smooth()[0, ..., 0].astype(np.float32)
    view = applied(monkeypatch, "blur", image, 0.05)  # 2 of 40 pixels
    expected = cv2.GaussianBlur(image, (0, 0), 2)
    assert np.abs(view - expected)[8:-8, 8:-8].max() < 0.5
    flat = np.zeros((20, 20), np.float32)
    flat[4:16] = 90
    kept = applied(monkeypatch, "blur", flat, 0.1, bars=(4, 4, 0, 0))
    assert kept == pytest.approx(flat, abs=1e-3)  # black bars do not run into the image


def test_matrices_of_filters_are_those_computed_by_hand():
    weights = np.exp(-np.array([0, 0.5, 2.0]))
    assert gaussian(3, 1.0)[0] == pytest.approx(weights / weights.sum())
    assert np.array_equal(gaussian(3, 0.0), np.eye(3))
    third = 1 / 3
    expected = [[2 * third, third, 0], [0, third, 2 * third], [0, third, 2 * third]]
    assert coarse(3, 2) == pytest.approx(np.array(expected))


def test_pixelation_by_a_half_shows_the_means_of_two_by_two_pixels(monkeypatch):
    image = np.arange(16, dtype=float).reshape(4, 4)
    view = applied(monkeypatch, "pixelation", image, 0.5)
    assert view.tolist() == np.kron([[2.5, 4.5], [10.5, 12.5]], np.ones((2, 2))).tolist()


def test_jpeg_is_that_of_opencv_at_this_quality(monkeypatch):
    image = smooth(height=40, width=48)[0, ..., 0]
    view = applied(monkeypatch, "jpeg", image, 15)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 15])
    assert np.abs(view - cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)).max() <= 1
    assert np.abs(view - image).max() > 3


# noise


def test_noise_has_the_deviation_of_its_kind(monkeypatch):
    image = np.full((96, 96), 120.0)
    deviations = {
        name: applied(monkeypatch, name, image, value).std()
        for name, value in (("gaussian-noise", 0.05), ("speckle-noise", 0.1), ("poisson-noise", 100))
    }
    counts = 100 * 120 / 255
    expected = {"gaussian-noise": 12.75, "speckle-noise": 12.0, "poisson-noise": 255 / 100 * counts**0.5}
    assert deviations == pytest.approx(expected, rel=0.05)


def test_poisson_noise_counts_whole_quanta_and_keeps_black(monkeypatch):
    image = np.array([[0.0, 51.0] * 20] * 20)
    counts = applied(monkeypatch, "poisson-noise", image, 100) * 100 / 255
    assert np.abs(counts - np.round(counts)).max() < 1e-3 and not counts[:, ::2].any()
    assert counts[:, 1::2].mean() == pytest.approx(20, rel=0.05)


# bars and marker


def test_letterbox_blackens_two_opposite_sides_and_nothing_else(monkeypatch):
    axes = set()
    for key in range(12):
        view = applied(monkeypatch, "letterbox", np.full((20, 10), 50.0), 0.1, key=key)
        upright = draws("letterbox", 1, [key])[0][0, 0] < 0.5
        expected = np.full((20, 10), 50.0)
        expected[[0, 1, -1, -2] if upright else slice(None), slice(None) if upright else [0, -1]] = 0
        assert view.tolist() == expected.tolist()
        axes.add(bool(upright))
    assert axes == {True, False}


def test_letterbox_counts_from_the_bars_that_are_there(monkeypatch):
    image = np.zeros((20, 10))
    image[5:15] = 50
    for key in range(6):
        view = applied(monkeypatch, "letterbox", image, 0.1, bars=(5, 5, 0, 0), key=key)
        upright = draws("letterbox", 1, [key])[0][0, 0] < 0.5
        lit = view[6:14] if upright else view[5:15, 1:9]
        assert (lit == 50).all() and view.sum() == lit.sum()


def test_collimation_darkens_margins_of_half_to_all_of_its_share_to_a_tenth(monkeypatch):
    view = applied(monkeypatch, "collimation", np.full((100, 100), 200.0), 0.2)
    margins = 20 * (0.5 + 0.5 * draws("collimation", 1, [11])[0][0, :4])
    rows, columns = view[:, 50], view[50]
    for profile, margin in zip((rows, rows[::-1], columns, columns[::-1]), margins, strict=True):
        first = int(np.floor(margin)) - 1
        assert profile[:first] == pytest.approx(20) and profile[first + 3 : 50] == pytest.approx(200)


def test_a_marker_is_its_letter_in_its_corner(monkeypatch):
    seen = set()
    for key in range(20):
        view = applied(monkeypatch, "marker", np.full((100, 100), 30.0), 0.14, key=key)  # cells of two pixels
        down, aside, corner, letter = draws("marker", 1, [key])[0][0, :4]
        letter, left = int(letter >= 0.5), corner < 0.5
        top, beside = 100 * (0.02 + 0.1 * down), 100 * (0.02 + 0.1 * aside)
        start = beside if left else 100 - beside - 10
        rows, columns = (np.flatnonzero((view == LEVEL).any(axis=axis)) for axis in (1, 0))
        assert abs(rows[0] - top) <= 1 and abs(columns[0] - start) <= 1
        block = view[rows[0] : rows[0] + 14 : 2, columns[0] : columns[0] + 10 : 2]
        assert np.array_equal(block == LEVEL, BITMAPS[letter] > 0)
        assert set(np.unique(view)) == {30.0, LEVEL}
        seen.add((letter, bool(left)))
    assert len(seen) == 4


# all of them


@pytest.mark.parametrize(("name", "severity"), VIEWS)
def test_a_view_stays_in_range_and_keeps_bars_black(name, severity):
    bars = np.array([[9, 7, 0, 0], [0, 0, 5, 11], [0, 0, 0, 0]])
    images = 1 + smooth(height=112, width=120) // 2
    for image, (above, below, left, right) in zip(images, bars, strict=True):
        image[:above] = image[112 - below :] = 0
        image[:, :left] = image[:, 120 - right :] = 0
    view = Shiftable(images, KEYS, bars=bars).view(name, severity).numpy()
    assert view.shape == images.shape and view.dtype == np.float32
    assert np.isfinite(view).all() and view.min() >= 0 and view.max() <= 255
    assert not view[images == 0].any()
    assert np.abs(view - images).mean(axis=(1, 2, 3)).min() > 0.01  # something happened to each image


@pytest.mark.parametrize("name", FAMILIES)
def test_a_view_of_an_image_repeats_and_does_not_depend_on_its_batch(name):
    images = smooth()
    whole = Shiftable(images, KEYS).view(name, 2).numpy()
    assert np.array_equal(Shiftable(images, KEYS).view(name, 2), whole)
    turned = Shiftable(images[::-1], KEYS[::-1]).view(name, 2).numpy()[::-1]
    alone = Shiftable(images[1:2], KEYS[1:2]).view(name, 2).numpy()
    np.testing.assert_allclose(turned, whole, atol=1e-3)
    np.testing.assert_allclose(alone, whole[1:2], atol=1e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_grey_images_have_the_same_view_in_one_channel_in_three_and_beside_coloured_ones(name):
    grey = smooth(channels=3)
    coloured = np.concatenate([grey[:2], smooth(1, channels=3)])
    coloured[2, ..., 0] //= 2
    one = Shiftable(grey[..., :1], KEYS).view(name, 2).numpy()
    three = Shiftable(grey, KEYS).view(name, 2).numpy()
    np.testing.assert_allclose(three, np.repeat(one, 3, axis=-1), atol=1e-3)
    mixed = Shiftable(coloured, KEYS).view(name, 2).numpy()
    np.testing.assert_allclose(mixed[:2], three[:2], atol=0.02)
    assert mixed.shape == grey.shape


def test_views_of_other_seeds_differ():
    first, other = (Shiftable(smooth(), KEYS, seed=seed).view("shift", 3).numpy() for seed in (0, 1))
    assert (np.abs(first - other).mean(axis=(1, 2, 3)) > 1).all()


def test_one_view_of_each_group_takes_the_family_and_severity_drawn_for_each_image():
    images, bars = smooth(), np.array([[2, 2, 0, 0], [0, 0, 0, 0], [0, 0, 3, 1]])
    views = one_view_of_each_group(images, KEYS, seed=4, bars=bars)
    assert tuple(views) == GROUPS
    for group, found in views.items():
        for row, (name, severity) in enumerate(draw_choices(group, KEYS, seed=4)):
            own = slice(row, row + 1)
            expected = Shiftable(images[own], KEYS[own], seed=4, bars=bars[own]).view(name, severity)
            np.testing.assert_allclose(found[own], expected, atol=1e-3)
