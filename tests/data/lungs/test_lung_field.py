"""Lungs are found in drawings and phantoms, completed where an opacity hides a part, and not found in anything else."""

import cv2
import numpy as np
import pytest

from medxray.data.lungs import field
from medxray.data.lungs.field import lung_field
from medxray.data.lungs.pairs import best_pair
from medxray.data.lungs.regions import SIDE, Region
from medxray.data.phantom.draw import lungs_of_phantom, render_phantom


def drawn(*ellipses, height=180, width=200):
    """A grey body with dark ellipses (x, y, half width, half height), and where these are."""
    inside = np.zeros((height, width), np.uint8)
    for x, y, wide, high in ellipses:
        cv2.ellipse(inside, (x, y), (wide, high), 0, 0, 360, 1, -1)
    return np.where(inside > 0, 60, 180).astype(np.uint8), inside > 0


LEFT, RIGHT = (60, 90, 28, 55), (140, 90, 28, 55)


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def test_two_dark_ellipses_are_lungs():
    image, inside = drawn(LEFT, RIGHT)
    found = lung_field(image)
    assert found.reason == "" and found.mask.shape == image.shape
    assert overlap(found.mask, inside) > 0.8 and (found.mask & inside).sum() > 0.95 * inside.sum()


def test_channels_are_averaged():
    image, _ = drawn(LEFT, RIGHT)
    assert np.array_equal(lung_field(np.repeat(image[..., None], 3, axis=2)).mask, lung_field(image).mask)


def test_an_opacity_in_one_lung_counts_as_lung():
    image, inside = drawn(LEFT, RIGHT)
    hidden = np.zeros(image.shape, bool)
    hidden[90:, 100:] = True
    image[hidden & inside] = 180
    found = lung_field(image)
    assert (found.mask & hidden & inside).sum() > 0.9 * (hidden & inside).sum()


@pytest.mark.parametrize(
    ("ellipses", "reason"),
    [
        ((), field.NO_REGIONS),
        ((LEFT,), field.NO_PAIR),
        ((LEFT, (60, 90, 8, 8)), field.NO_PAIR),
        (((70, 90, 17, 31), (130, 90, 17, 31)), field.TOO_SMALL),
    ],
)
def test_what_is_no_pair_of_lungs_is_told(ellipses, reason):
    assert lung_field(drawn(*ellipses)[0]) == (None, reason)


def test_an_image_of_one_grey_level_has_no_lungs():
    assert lung_field(np.full((64, 48), 7, np.uint8)).mask is None


def test_a_mask_is_mirrored_about_the_midline():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[5, 10] = True
    assert np.argwhere(field.mirrored(mask, 0.5)).tolist() == [[5, SIDE - 11]]
    assert np.argwhere(field.mirrored(mask, 20 / SIDE)).tolist() == [[5, 29]]
    assert not field.mirrored(mask, 1.0).any()


def region(left, *, top=0.2, height=0.5, area=0.1):
    start = round(left * SIDE)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[round(top * SIDE) : round((top + height) * SIDE), start : start + round(0.2 * SIDE)] = True
    centre = {"x": left + 0.1, "y": top + height / 2}
    return Region(mask, left, top, 0.2, height, **centre, area=area, solidity=1.0, contrast=0.2, edge=0.0)


def test_the_pair_is_the_most_alike_and_the_left_one_comes_first():
    left, right, small = region(0.2), region(0.6), region(0.6, area=0.05)
    assert best_pair([small, right, left]) == (left, right)


@pytest.mark.parametrize(
    "other",
    [region(0.3), region(0.6, area=0.02), region(0.6, top=0.6, height=0.3), region(0.9), region(0.45, area=0.1)],
)
def test_regions_that_do_not_lie_like_lungs_are_no_pair(other):
    first = region(0.2) if other.left != 0.45 else region(-0.1)
    assert best_pair([first, other]) is None


@pytest.fixture(scope="module")
def phantoms_found():
    """(kind, found mask or None, true lungs, opacity) of 18 phantoms."""
    found = []
    for number in range(18):
        kind = ("normal", "bacterial", "viral")[number % 3]
        seeds = {"size": 128, "patient_seed": (1, number), "image_seed": (2, number)}
        image, opacity = render_phantom(kind, **seeds)
        found.append((kind, lung_field(image).mask, lungs_of_phantom(**seeds), opacity > 0))
    return found


def test_lungs_of_normal_phantoms_are_found(phantoms_found):
    overlaps = [overlap(mask, lungs) for kind, mask, lungs, _ in phantoms_found if kind == "normal"]
    assert len(overlaps) == 6 and min(overlaps) > 0.6 and np.median(overlaps) > 0.75


def test_most_of_the_opacities_of_phantoms_lies_in_the_lungs_that_are_found(phantoms_found):
    ill = [one for one in phantoms_found if one[0] != "normal"]
    found = [one for one in ill if one[1] is not None]
    inside = [(mask & opacity).sum() / opacity.sum() for _, mask, _, opacity in found]
    assert len(found) >= len(ill) / 2 and np.median(inside) > 0.75


def test_the_lungs_of_a_phantom_hold_its_opacity():
    seeds = {"size": 96, "patient_seed": 3, "image_seed": 4}
    image, opacity = render_phantom("bacterial", **seeds)
    lungs = lungs_of_phantom(**seeds)
    assert lungs.shape == image.shape and 0.15 < lungs.mean() < 0.5
    assert (lungs & (opacity > 0)).sum() > 0.95 * (opacity > 0).sum()
