import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from medxray.anomaly.autoencoder import LOSSES, build_autoencoder
from medxray.anomaly.similarity import ssim_map
from medxray.errors import ConfigError

NAMES = ("pooled", "reconstruction", "anomaly_map", "training_loss", "raw_score", "plain_mse")


def build(loss="mse", standardize=True, *, size=32, channels=1, seed=0):
    return build_autoencoder(
        image_size=size, channels=channels, bottleneck=8, loss=loss, standardize=standardize, seed=seed
    )


def images(count=3, size=32, channels=1):
    """Smooth noise, 20-200, so that neither a change of contrast nor a rough reconstruction leaves 0-255."""
    noise = np.random.default_rng(0).uniform(0, 1, (count, size // 4, size // 4, channels))
    return np.repeat(np.repeat(20 + 180 * noise, 4, axis=1), 4, axis=2).astype(np.float32)


def outputs(model, pixels):
    parts = keras.Model(model.input, {name: model.get_layer(name).output for name in NAMES})
    return {name: value.numpy() for name, value in parts(pixels).items()}


def rebuild_constant(model, value):
    """Let the decoder return `value` everywhere, whatever it is given."""
    kernel, bias = model.get_layer("decoder_image").get_weights()
    model.get_layer("decoder_image").set_weights([0 * kernel, 0 * bias + value])
    return model


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("channels", [1, 3])
def test_outputs_are_float32_of_flat_built_in_layers(loss, channels):
    model = build(loss, channels=channels)
    assert model.input.name == "image" and model.output_shape == (None, 1)
    assert {layer.__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    found = outputs(model, images(channels=channels))
    shapes = [(3, 8), (3, 32, 32, channels), (3, 32, 32), (3, 1), (3, 1), (3, 1)]
    assert [found[name].shape for name in NAMES] == shapes
    assert {value.dtype for value in found.values()} == {np.dtype("float32")}
    np.testing.assert_allclose(found["raw_score"], model(images(channels=channels)), rtol=1e-5)


@pytest.mark.parametrize("size", [33, 50, 63])
def test_any_size_comes_back_in_that_size(size):
    pixels = np.full((1, size, size, 1), 100, np.float32)
    assert outputs(build(size=size), pixels)["reconstruction"].shape == pixels.shape


def test_squared_error_by_hand():
    pixels = images(channels=3)
    found = outputs(rebuild_constant(build("mse", False, channels=3), 0.25), pixels)
    expected = ((pixels / 255 - 0.25) ** 2).mean(axis=-1)
    np.testing.assert_allclose(found["reconstruction"], 63.75, rtol=1e-6)
    np.testing.assert_allclose(found["anomaly_map"], expected, atol=1e-6)
    for name in ("raw_score", "training_loss", "plain_mse"):
        np.testing.assert_allclose(found[name][:, 0], expected.mean(axis=(1, 2)), rtol=1e-5)


def test_standardized_squared_error_is_the_unexplained_share_of_variance():
    pixels = images(3, channels=3)  # as many images as channels: a sum must not mistake the one axis for the other
    found = outputs(rebuild_constant(build("mse", True, channels=3), 0.0), pixels)
    mean = pixels.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(found["reconstruction"], np.broadcast_to(mean, pixels.shape), rtol=1e-4)
    np.testing.assert_allclose(found["raw_score"], 1, rtol=1e-4)
    np.testing.assert_allclose(found["plain_mse"][:, 0], pixels.var(axis=(1, 2, 3)) / 255**2, rtol=1e-4)
    expected = ((pixels - mean) ** 2).mean(axis=-1) / pixels.var(axis=(1, 2, 3))[:, None, None]
    np.testing.assert_allclose(found["anomaly_map"], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("standardize", [False, True])
def test_similarity_and_mix_by_hand(standardize):
    pixels = images(channels=3)
    value = 0.5
    if standardize:
        mean, deviation = (function(pixels, axis=(1, 2, 3), keepdims=True) for function in (np.mean, np.std))
        scaled, level = (pixels - mean) / deviation / 6 + 0.5, value / 6 + 0.5
    else:
        scaled, level = pixels / 255, value
    dissimilarity = 1 - ssim_map(keras.ops.convert_to_tensor(scaled), keras.ops.full_like(scaled, level)).numpy()
    mix = 0.84 * dissimilarity + 0.16 * np.abs(scaled - level)
    for loss, expected in (("ssim", dissimilarity), ("mix", mix)):
        found = outputs(rebuild_constant(build(loss, standardize, channels=3), value), pixels)
        np.testing.assert_allclose(found["anomaly_map"], expected.mean(axis=-1), atol=1e-3)
        np.testing.assert_allclose(found["raw_score"][:, 0], expected.mean(axis=(1, 2, 3)), atol=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_brightness_and_contrast_matter_only_without_standardization(loss):
    pixels, changed = images(), 0.5 * images() + 40
    standardized, plain = build(loss), build(loss, False)
    for model in (standardized, plain):
        kernel, bias = model.get_layer("decoder_image").get_weights()
        model.get_layer("decoder_image").set_weights([kernel * 0.05, bias])
    before, after = outputs(standardized, pixels), outputs(standardized, changed)
    for name in ("pooled", "anomaly_map", "raw_score"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(after["reconstruction"], 0.5 * before["reconstruction"] + 40, atol=0.01)
    assert np.abs(outputs(plain, changed)["anomaly_map"] - outputs(plain, pixels)["anomaly_map"]).max() > 0.01


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_blank_images_leave_everything_finite(loss, standardize):
    model = build(loss, standardize)
    pixels = tf.stack([tf.zeros((32, 32, 1)), tf.fill((32, 32, 1), 255.0), tf.fill((32, 32, 1), 97.0)])
    assert all(np.isfinite(value).all() for value in outputs(model, pixels).values())
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        score = model(pixels, training=True)
    gradients = [*tape.gradient(score, model.trainable_variables), tape.gradient(score, pixels)]
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_reconstruction_is_clipped_to_grey_levels():
    for value, level in ((-0.5, 0), (1.5, 255)):
        found = outputs(rebuild_constant(build("mse", False), value), images())
        assert (found["reconstruction"] == level).all()
        np.testing.assert_allclose(
            found["plain_mse"][:, 0], ((images() - level) ** 2).mean(axis=(1, 2, 3)) / 255**2, rtol=1e-4
        )


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_reach_every_weight(loss):
    model = build(loss)
    with tf.GradientTape() as tape:
        score = tf.reduce_mean(model(images(), training=True))
    gradients = tape.gradient(score, model.trainable_variables)
    assert all(gradient is not None and np.abs(gradient).max() > 0 for gradient in gradients)


@pytest.mark.slow
def test_training_learns():
    model, pixels = build("mix"), images(8)
    model.compile(keras.optimizers.Adam(3e-3), loss=lambda _, score: keras.ops.mean(score))
    history = model.fit(pixels, np.zeros((8, 1)), batch_size=8, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]


def test_seeds_repeat_and_differ():
    first, again, other = (build(seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim > 1]
    assert kernels and not [a.shape for a, b in kernels if np.array_equal(a, b)]
    largest = [a.ravel()[:100] / a.std() for a, _ in kernels if a.size >= 100]
    assert not [at for at in range(1, len(largest)) if np.allclose(largest[at], largest[at - 1], atol=1e-3)]


@pytest.mark.slow
def test_saved_models_load_in_safe_mode_without_medxray(tmp_path):
    pixels = images(channels=3)
    expected = {}
    for loss in LOSSES:
        model = build(loss, loss != "mse", channels=3)
        model.save(tmp_path / f"{loss}.keras")
        expected |= {f"{loss}-{name}": value for name, value in outputs(model, pixels).items()}
    np.save(tmp_path / "x.npy", pixels)
    code = (
        "import sys, numpy as np, keras\n"
        f"pixels, found = np.load('x.npy'), {{}}\n"
        f"for loss in {LOSSES}:\n"
        "    model = keras.models.load_model(loss + '.keras', safe_mode=True)\n"
        f"    for name in {NAMES}:\n"
        "        part = keras.Model(model.input, model.get_layer(name).output)\n"
        "        found[loss + '-' + name] = part(pixels).numpy()\n"
        "np.savez('y.npz', **found)\n"
        "assert 'medxray' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=tmp_path)
    with np.load(tmp_path / "y.npz") as found:
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4)


def test_impossible_requests_name_the_limits():
    with pytest.raises(ConfigError, match="--image-size for the autoencoder must be at least 32 pixels. Received 16"):
        build(size=16)
    with pytest.raises(ConfigError, match="--loss must be one of mse, ssim, mix. Received 'l1'"):
        build("l1")
    with pytest.raises(ConfigError, match="--bottleneck must be at least 1. Received 0"):
        build_autoencoder(image_size=32, channels=1, bottleneck=0, loss="mse", standardize=True, seed=0)
