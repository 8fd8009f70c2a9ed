import subprocess
import sys

import keras
import numpy as np
import pytest

from medxray.errors import ConfigError
from medxray.models.classifier import build_classifier, embedder, freeze_before
from medxray.models.registry import architecture


def build(name, channels=1, classes=2):
    return build_classifier(name, image_size=32, channels=channels, classes=classes, units=8)


def images(count=2, channels=1):
    return np.random.default_rng(0).uniform(0, 255, (count, 32, 32, channels)).astype(np.float32)


def test_grey_and_rgb_models_agree_on_grey_images():
    grey, colour = build("vgg16", 1), build("vgg16", 3)
    colour.set_weights(grey.get_weights())
    np.testing.assert_allclose(grey(images()).numpy(), colour(np.repeat(images(), 3, axis=-1)).numpy(), atol=1e-5)


def test_freezing_leaves_only_the_last_block_and_the_head_with_their_penalty():
    model = build("vgg16")
    freeze_before(model, "block4_pool", train_normalization=False, l2=1e-3)
    trained = [layer.name for layer in model.layers if layer.trainable_variables]
    assert trained == ["block5_conv1", "block5_conv2", "block5_conv3", "head_norm", "hidden", "logits"]
    assert len(model.losses) == 5
    kernel = model.get_layer("block5_conv1").kernel
    assert float(kernel.regularizer(kernel)) == pytest.approx(1e-3 * float(keras.ops.sum(kernel**2)), rel=1e-4)


def test_frozen_normalization_stays_in_inference_mode():
    model = build("resnet50")
    freeze_before(model, "conv4_block6_out", train_normalization=False)
    layer = model.get_layer("conv5_block1_1_bn")
    before = [weight.numpy().copy() for weight in layer.weights]
    model(images(4), training=True)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, layer.weights, strict=True)) and not layer.trainable
    assert model.get_layer("conv5_block1_1_conv").trainable


def test_embedder_gives_pooled_features():
    assert embedder(build("densenet121"))(images()).shape == (2, 1024)


def test_saved_model_loads_in_safe_mode_without_medxray(tmp_path):
    file = tmp_path / "model.keras"
    model = build("vgg16", channels=3)
    freeze_before(model, "block4_pool", train_normalization=False, l2=1e-4)
    model.save(file)
    np.save(tmp_path / "x.npy", images(channels=3))
    code = (
        "import sys, numpy as np, keras\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))\n"
        "assert 'medxray' not in sys.modules\n"
    )
    arguments = [str(file), str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(images(channels=3)).numpy(), atol=1e-6)


def test_impossible_requests_name_the_limits():
    with pytest.raises(ConfigError, match="--image-size for vgg16 must be at least 32 pixels. Received 16"):
        build_classifier("vgg16", image_size=16, channels=1, classes=2)
    with pytest.raises(ConfigError, match="--arch must be one of vgg16, .*Received 'vgg'"):
        architecture("vgg")
