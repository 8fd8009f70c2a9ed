"""Rates and decay of single variables, moving averages."""

import types

import keras
import numpy as np
import pytest

from medxray.training.loop import averaged
from medxray.training.optimizers import build_optimizer, depth_factors

PLAIN = {"optimizer": "adam", "weight_decay": 0.0, "clip_norm": None, "ema": None}


def config(**changes):
    return types.SimpleNamespace(**PLAIN | changes)


def variables():
    dense = keras.layers.Dense(1, kernel_initializer="ones", bias_initializer="ones", name="dense")
    dense.build((None, 2))
    return dense.trainable_variables


def step(optimizer, kept, gradients):
    optimizer.build(kept)
    optimizer.apply([keras.ops.convert_to_tensor(value) for value in gradients])
    return [variable.numpy() for variable in kept]


GRADIENTS = [np.float32([[0.5], [0.5]]), np.float32([0.5])]


def test_without_settings_it_is_the_adam_of_keras():
    ours = step(build_optimizer(config(), 0.01), variables(), GRADIENTS)
    theirs = step(keras.optimizers.Adam(0.01), variables(), GRADIENTS)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_decay_shrinks_kernels_by_rate_times_decay_and_spares_the_bias():
    zero = [np.zeros((2, 1), np.float32), np.zeros(1, np.float32)]
    kernel, bias = step(build_optimizer(config(optimizer="adamw", weight_decay=0.1), 0.5), variables(), zero)
    np.testing.assert_allclose(kernel, 1 - 0.5 * 0.1, rtol=1e-6)
    np.testing.assert_allclose(bias, 1)


def test_sgd_with_nesterov_momentum_makes_its_first_step():
    kernel, _ = step(build_optimizer(config(optimizer="sgd"), 0.1), variables(), GRADIENTS)
    np.testing.assert_allclose(kernel, 1 - 0.1 * (1 + 0.9) * 0.5, rtol=1e-6)


def test_a_factor_changes_the_rate_and_the_decay_of_its_variable_alone():
    kept = variables()
    optimizer = build_optimizer(config(optimizer="sgd", weight_decay=1.0), 0.1, factors={kept[0].path: 0.5})
    kernel, bias = step(optimizer, kept, [np.zeros((2, 1), np.float32), np.float32([1.0])])
    np.testing.assert_allclose(kernel, 1 - 0.05, rtol=1e-6)
    np.testing.assert_allclose(bias, 1 - 0.1 * 1.9, rtol=1e-6)


def test_large_gradients_are_cut_to_the_norm_of_all_together():
    kernel, bias = step(build_optimizer(config(optimizer="sgd", clip_norm=1.0), 1.0), variables(), [
        np.float32([[3.0], [0.0]]), np.float32([4.0])
    ])  # fmt: skip
    np.testing.assert_allclose(kernel[:, 0], [1 - 1.9 * 0.6, 1], rtol=1e-6)
    np.testing.assert_allclose(bias, 1 - 1.9 * 0.8, rtol=1e-5)


def test_rates_fall_from_layer_to_layer_below():
    image = keras.Input((4,))
    low = keras.layers.Dense(3, name="low")
    tensor = keras.layers.Dropout(0.5)(low(image))
    high = keras.layers.Dense(2, name="high")
    model = keras.Model(image, high(tensor))
    factors = depth_factors(model, 0.5)
    assert {low.kernel.path: 0.5, low.bias.path: 0.5, high.kernel.path: 1.0, high.bias.path: 1.0} == factors
    low.trainable = False
    assert set(depth_factors(model, 0.5)) == {high.kernel.path, high.bias.path}


@pytest.fixture
def averaging():
    """A model of one weight and a constant gradient of 1, trained for three steps of SGD with averages."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    optimizer = build_optimizer(config(optimizer="sgd", ema=0.5), 1.0)
    model.compile(optimizer, loss=lambda truth, output: output)
    optimizer.build(model.trainable_variables)
    path = []
    for _ in range(3):
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
        path.append(float(model.trainable_variables[0].numpy()[0, 0]))
    return model, path


def test_validation_sees_the_moving_average_and_training_goes_on_from_the_weights(averaging):
    model, path = averaging
    mean = path[0]
    for value in path[1:]:
        mean = 0.5 * mean + 0.5 * value
    with averaged(model):
        assert float(model.trainable_variables[0].numpy()[0, 0]) == pytest.approx(mean)
    assert float(model.trainable_variables[0].numpy()[0, 0]) == path[-1]
