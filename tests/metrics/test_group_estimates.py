"""Differences of groups, and AUROC and balanced accuracy of scores, with intervals by patient."""

import numpy as np
import pytest

from medxray.metrics.label_estimates import label_estimates
from medxray.metrics.map_concentration import border_mask, border_share, share_inside
from medxray.metrics.patient_means import difference_by_patient

PATIENTS = np.array([f"p{number}" for number in range(12)])


def test_the_difference_of_two_groups_by_hand():
    values = np.array([1.0, 2, 3, 4, 5, 6] + [0.0, 1, 0, 1, 0, 1])
    found = difference_by_patient(values, np.arange(12) < 6, PATIENTS)
    assert found["value"] == 3.5 - 0.5
    assert 1 < found["ci95"][0] < 3 < found["ci95"][1] < 5


def test_values_that_are_unknown_are_left_out_and_a_group_without_images_has_no_difference():
    values = np.array([np.nan, 4.0, 1.0])
    assert difference_by_patient(values, [True, True, False], PATIENTS[:3]) == {"value": 3.0, "ci95": None}
    assert difference_by_patient(values, [True, False, False], PATIENTS[:3]) == {"value": None, "ci95": None}


def test_the_same_patients_in_both_groups_are_resampled_together():
    """Each patient has one image in each group, 1 apart: the difference is 1 in every resample."""
    values = np.concatenate([np.arange(6) + 1.0, np.arange(6)])
    found = difference_by_patient(values, np.arange(12) < 6, np.tile(PATIENTS[:6], 2))
    assert found["value"] == 1 and found["ci95"] == pytest.approx([1, 1])


def test_figures_of_two_classes_by_hand():
    """Of 6 x 6 pairs 33 are in order; 5 of 6 and 4 of 6 labels are right."""
    y_true = np.repeat([0, 1], 6)
    positive = np.array([0.1, 0.2, 0.3, 0.35, 0.4, 0.6] + [0.45, 0.38, 0.7, 0.8, 0.9, 0.95])
    found = label_estimates(y_true, np.stack([1 - positive, positive], axis=1), PATIENTS)
    above = (positive[6:, None] > positive[None, :6]).mean()
    assert found["auroc"]["value"] == pytest.approx(above) and found["auroc"]["ci95"] is not None
    assert found["balanced_accuracy"]["value"] == pytest.approx((5 / 6 + 4 / 6) / 2)
    low, high = found["balanced_accuracy"]["ci95"]
    assert low < 0.75 < high


def test_labels_of_a_decision_take_the_place_of_the_highest_score():
    scores = np.tile([0.6, 0.4], (12, 1))
    found = label_estimates(np.repeat([0, 1], 6), scores, PATIENTS, y_pred=np.repeat([0, 1], 6))
    assert found["balanced_accuracy"]["value"] == 1 and found["auroc"]["value"] == 0.5


def test_figures_of_three_classes_and_of_a_class_that_is_missing():
    y_true = np.tile([0, 1, 2], 4)
    assert label_estimates(y_true, np.eye(3)[y_true], PATIENTS)["auroc"]["value"] == 1
    missing = label_estimates(np.tile([0, 1], 6), np.eye(3)[np.tile([0, 1], 6)], PATIENTS)
    assert missing["auroc"]["value"] is None and missing["balanced_accuracy"]["value"] is None


def test_the_border_is_the_outer_tenth():
    mask = border_mask((20, 10))
    assert mask.sum() == 20 * 10 - 16 * 8 and not mask[2, 1] and mask[1, 1] and mask[2, 0]
    assert border_share(np.ones((20, 10))) == pytest.approx(0.36)


def test_the_share_in_a_region_is_unknown_without_heat_or_region():
    heat, region = np.array([[1.0, 3.0]]), np.array([[False, True]])
    assert share_inside(heat, region) == 0.75
    assert np.isnan(share_inside(heat * 0, region)) and np.isnan(share_inside(heat, None))
