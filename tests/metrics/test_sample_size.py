"""How many patients a wished precision needs."""

import numpy as np
import pytest

from medxray.metrics.intervals import effective_images, wilson
from medxray.metrics.sample_size import half_width, images_for, patients_for


@pytest.mark.parametrize(("share", "wished"), [(0.9, 0.05), (0.5, 0.1), (1.0, 0.02), (0.97, 0.2)])
def test_the_number_is_the_smallest_whose_interval_is_narrow_enough(share, wished):
    count = images_for(share, wished)
    low, high = wilson(share * count, count)
    assert (high - low) / 2 <= wished + 1e-12
    assert count == 1 or half_width(share, count - 1) > wished


def test_a_share_of_a_half_to_within_a_tenth_needs_93_images():
    # Wilson at 1/2: half = z / (2 sqrt(n + z^2)) <= 0.1, n >= (z / 0.2)^2 - z^2 = 92.2
    assert images_for(0.5, 0.1) == 93


def test_images_that_agree_within_patients_count_as_patients():
    right = np.repeat([True, False] * 10, 4)
    patients = np.repeat(np.arange(20), 4).astype(str)
    assert effective_images(right, patients) == pytest.approx(19)  # 20 patients, with n - 1 in the variance
    one = patients_for(right[::4], patients[::4], 0.1)
    several = patients_for(right, patients, 0.1)
    assert several["patients"] == one["patients"] == 20 and several["needed"] == one["needed"]


def test_a_share_of_one_is_not_taken_at_its_word():
    found = patients_for(np.ones(25, bool), np.arange(25).astype(str), 0.05)
    assert found["needed"] > images_for(1.0, 0.05) and found["half_width"] == pytest.approx(half_width(1.0, 25))
