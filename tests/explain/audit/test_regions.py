"""Which pixels are replaced, and by what."""

import numpy as np
import pytest

from medxray.explain.audit.regions import BORDER, LUNGS, MARKER_REGION, OUTSIDE_LUNGS, partners, replaced

SHAPE = (20, 10)


def test_regions_by_hand():
    lungs = np.zeros(SHAPE, bool)
    lungs[5:15, 2:8] = True
    assert BORDER.mask(lungs, SHAPE).sum() == 20 * 10 - 16 * 8
    corners = MARKER_REGION.mask(None, SHAPE)
    assert corners.sum() == 2 * 5 * 2 and corners[4, 1] and corners[4, 8] and not corners[5, 1] and not corners[4, 2]
    assert np.array_equal(OUTSIDE_LUNGS.mask(lungs, SHAPE), ~lungs) and LUNGS.mask(lungs, SHAPE) is lungs
    assert OUTSIDE_LUNGS.mask(None, SHAPE) is None and LUNGS.mask(None, SHAPE) is None


def test_partners_are_of_another_class_and_patient_and_follow_the_seed():
    labels, patients = np.array([0, 0, 1, 1, 1]), np.array(["a", "b", "b", "c", "d"])
    found = partners(labels, patients, 0)
    assert (labels[found] != labels).all() and (patients[found] != patients).all()
    assert found.shape == (1, 5)  # the third image has one only
    assert found[0, 1] in (3, 4) and found[0, 2] == 0
    assert found.tolist() == partners(labels, patients, 0).tolist()
    assert len({tuple(partners(labels, patients, seed)[0]) for seed in range(8)}) > 1


def test_each_image_has_three_different_partners_where_there_are_enough():
    labels, patients = np.arange(10) % 2, np.arange(10).astype(str)
    found = partners(labels, patients, 0)
    assert found.shape == (3, 10) and (labels[found] != labels).all()
    assert all(len(set(column)) == 3 for column in found.T.tolist())


def test_partners_in_one_class_are_of_another_patient_and_of_one_patient_another_image():
    patients = np.array(["a", "a", "b"])
    assert partners(np.zeros(3, int), patients, 0)[0, :2].tolist() == [2, 2]
    assert partners(np.zeros(2, int), np.array(["a", "a"]), 0).tolist() == [[1, 0]]


@pytest.fixture
def pixels():
    """A 6 x 4 image of 100 between black bars, brighter in one row."""
    found = np.zeros((6, 6, 1), np.uint8)
    found[:, 1:5] = 100
    found[0, 1:5] = 160
    return found


def test_the_mean_colour_is_that_of_the_image_without_its_bars(pixels):
    mask = np.zeros((6, 4), bool)
    mask[0, 0] = True
    changed = replaced(pixels, (0, 1, 6, 4), mask, None)
    assert changed.dtype == np.float32 and changed[0, 1, 0] == pytest.approx(110)
    changed[0, 1, 0] = 160
    assert np.array_equal(changed, pixels)


def test_pixels_of_another_image_come_from_the_same_place_whatever_its_size(pixels):
    source = np.zeros((12, 8, 1), np.uint8)
    source[:2, 6:] = 200
    changed = replaced(pixels, (0, 1, 6, 4), np.ones((6, 4), bool), source)
    assert changed[0, 4, 0] == 200 and changed[:, 1:5].sum() == 200
    assert (changed[:, [0, 5]] == 0).all()
