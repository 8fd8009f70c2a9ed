"""Predictive entropy and mutual information."""

import numpy as np
import pytest

from medxray.metrics.uncertainty import predictive_uncertainty


def test_by_hand():
    same = np.log([[[0.5, 0.5], [0.5, 0.5]]])
    opposite = np.log([[[0.9, 0.1], [0.1, 0.9]]])
    half = [0.5, 0.5]
    assert predictive_uncertainty(same, half) == (pytest.approx([np.log(2)]), pytest.approx([0]))
    entropy, information = predictive_uncertainty(opposite, half)
    own = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert entropy == pytest.approx([np.log(2)]) and information == pytest.approx([np.log(2) - own])


def test_weights_count():
    answers = np.log([[[0.9, 0.1], [0.1, 0.9]]])
    entropy, information = predictive_uncertainty(answers, [1.0, 0.0])
    own = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert entropy == pytest.approx([own]) and information == pytest.approx([0], abs=1e-12)
