"""Points of ROC and precision-recall curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from medxray.metrics.curves import precision_recall_points, roc_points
from medxray.metrics.metrics import Ranking


def test_roc_points_by_hand():
    fpr, tpr = roc_points([1, 1, 0, 0], [0.8, 0.4, 0.6, 0.4])
    assert fpr.tolist() == [0, 0, 0.5, 1] and tpr.tolist() == [0, 0.5, 0.5, 1]


def test_precision_recall_points_by_hand():
    recall, precision = precision_recall_points([1, 1, 0, 0], [0.8, 0.4, 0.6, 0.4])
    assert recall.tolist() == [0, 0.5, 0.5, 1] and precision.tolist() == [1, 1, 0.5, 0.5]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), n=st.integers(2, 30))
def test_points_agree_with_scikit_learn_and_with_the_area(data, n):
    y = np.array([0, 1, *data.draw(st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2))])
    score = np.array(data.draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))) / 8
    fpr, tpr = roc_points(y == 1, score)
    expected = roc_curve(y, score, drop_intermediate=False)
    np.testing.assert_allclose(fpr, expected[0])
    np.testing.assert_allclose(tpr, expected[1])
    auroc, average_precision = Ranking(y == 1, score).areas(np.ones((1, n)))
    assert np.trapezoid(tpr, fpr) == pytest.approx(auroc[0])
    recall, precision = precision_recall_points(y == 1, score)
    np.testing.assert_allclose(precision[1:], precision_recall_curve(y, score)[0][-2::-1])
    assert (np.diff(recall) * precision[1:]).sum() == pytest.approx(average_precision[0])


def test_curves_need_both_kinds_of_images():
    with pytest.raises(ValueError, match="positive and negative images"):
        roc_points([1, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="needs positive images"):
        precision_recall_points([0, 0], [0.1, 0.2])
    with pytest.raises(ValueError, match="positive and negative images"):
        roc_points([], [])
