"""Decision curve analysis."""

import numpy as np
import pytest

from medxray.metrics.net_benefit import decision_curve


def test_net_benefit_by_hand():
    # at 0.2: 2 true and 1 false positives of 5 -> 2/5 - 1/5 * 0.25; at 0.5: 1 and 1 -> 1/5 - 1/5
    curve = decision_curve([1, 1, 0, 0, 0], [0.9, 0.3, 0.6, 0.1, 0.1], thresholds=[0.2, 0.5])
    assert curve.model == pytest.approx([0.35, 0.0])
    assert curve.treat_all == pytest.approx([0.4 - 0.6 * 0.25, 0.4 - 0.6])


def test_a_model_that_calls_everybody_equals_treating_all():
    y = np.arange(50) % 3 == 0
    curve = decision_curve(y, np.full(50, 0.995))
    np.testing.assert_allclose(curve.model, curve.treat_all, atol=1e-12)


def test_a_perfect_model_has_the_prevalence_as_net_benefit_everywhere():
    y = np.arange(50) % 4 == 0
    np.testing.assert_allclose(decision_curve(y, y.astype(float)).model, y.mean())


def test_a_calibrated_model_is_never_worse_than_both_defaults():
    rng = np.random.default_rng(0)
    score = rng.random(50000)
    curve = decision_curve(rng.random(50000) < score, score, thresholds=np.linspace(0.05, 0.95, 19))
    assert (curve.model >= np.maximum(curve.treat_all, 0) - 0.01).all()


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, np.nan])
def test_thresholds_outside_zero_and_one_are_refused(threshold):
    with pytest.raises(ValueError, match="thresholds between 0 and 1"):
        decision_curve([1, 0], [0.5, 0.5], thresholds=[threshold])


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="one or more images"):
        decision_curve([], [])
