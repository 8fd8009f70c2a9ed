"""The learning-rate range test."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from medxray.errors import TrainingError
from medxray.training import rate_search
from medxray.training.objectives import classification


def curve(smoothed):
    rates = np.geomspace(1e-7, 1, len(smoothed))
    return pd.DataFrame({"learning_rate": rates, "loss": smoothed, "smoothed": smoothed})


def test_the_rate_where_the_loss_falls_fastest_is_suggested():
    steps = np.arange(100)
    found = rate_search.suggested_rate(curve(1 - 0.8 / (1 + np.exp(-(steps - 60) / 3.0))))
    assert found == pytest.approx(np.geomspace(1e-7, 1, 100)[60], rel=0.06)


@pytest.mark.parametrize("smoothed", [np.ones(50), np.linspace(1, 2, 50), np.array([1.0, 0.5])])
def test_a_loss_that_never_falls_is_an_error(smoothed):
    with pytest.raises(TrainingError, match="Give --learning-rate as a number"):
        rate_search.suggested_rate(curve(smoothed))


def test_the_curve_rises_to_where_training_diverges():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(64, 8)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(np.int64)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels, np.ones(64, np.float32))).batch(16)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, kernel_initializer="zeros")])
    found = rate_search.rate_curve(model, lambda epoch: dataset, keras.optimizers.Adam, classification())
    assert len(found) > 50 and found["learning_rate"].is_monotonic_increasing
    assert found["smoothed"].iloc[0] == pytest.approx(np.log(2), rel=1e-3)
    assert found["smoothed"].min() < 0.4
    assert 1e-3 < rate_search.suggested_rate(found) < 1
