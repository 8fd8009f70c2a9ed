"""The graphs that are built here: those of keras.applications where it has them, else the published figures."""

import keras
import numpy as np
import pytest

from medxray.models.classifier import build_classifier, embedder
from medxray.models.registry import ARCHITECTURES


def backbone(name, size=64):
    return embedder(build_classifier(name, image_size=size, channels=3, classes=2))


def random_weights(model):
    """Weights of a model's shapes that keep activations in range."""
    return [_random(weight, np.random.default_rng(number)) for number, weight in enumerate(model.weights)]


def _random(weight, rng):
    if weight.name == "moving_variance":
        return rng.uniform(0.5, 1.5, weight.shape)
    return rng.normal(0, np.prod(weight.shape[:-1]) ** -0.5, weight.shape)


@pytest.mark.parametrize(
    ("name", "application", "rescale", "size"),
    [
        ("densenet121", "DenseNet121", "torch", 64),
        pytest.param("densenet169", "DenseNet169", "torch", 64, marks=pytest.mark.slow),
        pytest.param("densenet201", "DenseNet201", "torch", 64, marks=pytest.mark.slow),
        ("mobilenetv3-large", "MobileNetV3Large", None, 64),
        ("mobilenetv3-large", "MobileNetV3Large", None, 75),  # odd sizes are padded in another way
        ("efficientnetv2-b0", "EfficientNetV2B0", None, 64),
    ],
)
def test_features_are_those_of_keras_applications_with_its_preprocessing(name, application, rescale, size):
    """Without `rescale` its preprocessing is part of the network."""
    images = np.random.default_rng(1).uniform(0, 255, (2, size, size, 3)).astype(np.float32)
    theirs = getattr(keras.applications, application)(
        include_top=False, weights=None, input_shape=(size, size, 3), pooling="avg"
    )
    ours = backbone(name, size)
    names = [layer.name for layer in theirs.layers if layer.weights]
    assert names == [layer.name for layer in ours.layers if layer.weights]
    values = random_weights(theirs)
    theirs.set_weights(values)
    ours.set_weights(values)
    given = keras.applications.imagenet_utils.preprocess_input(images.copy(), mode=rescale) if rescale else images
    expected = theirs(given, training=False).numpy()
    np.testing.assert_allclose(ours(images, training=False), expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
    assert np.ptp(expected) > 0


@pytest.mark.parametrize(
    ("name", "whole", "dense"),
    [
        ("alexnet", 61_100_840, 9_217 * 4096 + 4_097 * 4096 + 4_097 * 1000),
        ("resnet50-v1.5", 25_557_032, 2_049 * 1000),
        pytest.param("resnet101-v1.5", 44_549_160, 2_049 * 1000, marks=pytest.mark.slow),
        ("densenet161", 28_681_000, 2_209 * 1000),
    ],
)
def test_weights_are_as_many_as_published_less_the_dense_layers(name, whole, dense):
    """Published: torchvision's documentation, number of parameters of the models."""
    assert sum(int(np.prod(weight.shape)) for weight in backbone(name).trainable_weights) == whole - dense


@pytest.mark.parametrize("name", ["resnet50-v1.5", pytest.param("resnet101-v1.5", marks=pytest.mark.slow)])
def test_version_1_5_halves_in_its_3x3_convolutions_with_padding_on_each_side(name):
    model = backbone(name)
    halving = {layer.name for layer in model.layers if getattr(layer, "strides", None) == (2, 2)}
    blocks = {f"conv{stage}_block1_{part}_conv" for stage in (3, 4, 5) for part in (0, 2)}
    assert halving == blocks | {"conv1_conv", "pool1_pool"}
    padded = {layer.name: layer.padding for layer in model.layers if isinstance(layer, keras.layers.ZeroPadding2D)}
    assert padded["conv1_pad"] == ((3, 3), (3, 3)) and padded["conv3_block1_2_pad"] == ((1, 1), (1, 1))
    assert not any(layer.use_bias for layer in model.layers if isinstance(layer, keras.layers.Conv2D))


def test_alexnet_ends_in_6x6_cells_and_in_one_at_its_smallest_size():
    assert backbone("alexnet", 224).get_layer("pool5").output.shape[1:] == (6, 6, 256)
    assert backbone("alexnet", 63).get_layer("pool5").output.shape[1:] == (1, 1, 256)


@pytest.mark.parametrize(
    ("name", "application"),
    [
        *(("vgg16", "VGG16"), ("vgg19", "VGG19"), ("resnet50", "ResNet50"), ("densenet121", "DenseNet121")),
        *(pytest.param(f"densenet{depth}", f"DenseNet{depth}", marks=pytest.mark.slow) for depth in (169, 201)),
        pytest.param("resnet101", "ResNet101", marks=pytest.mark.slow),
        *(("mobilenetv3-large", "MobileNetV3Large"), ("efficientnetv2-b0", "EfficientNetV2B0")),
    ],
)
def test_imagenet_weights_are_the_files_that_keras_applications_asks_for(monkeypatch, name, application):
    class Asked(Exception):
        pass

    def ask(file, url, *, file_hash, **others):
        raise Asked(file, url, file_hash)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", ask)
    with pytest.raises(Asked) as asked:
        getattr(keras.applications, application)(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
    (source,) = (source for source in ARCHITECTURES[name].pretrained if source.name == "imagenet")
    assert asked.value.args == (source.file, f"{source.url}/{source.file}", source.digest.removeprefix("md5:"))


@pytest.mark.parametrize("name", ["alexnet", "resnet50-v1.5", "resnet101-v1.5", "densenet161"])
def test_rows_without_published_keras_weights_say_so(name):
    assert ARCHITECTURES[name].pretrained == () and ARCHITECTURES[name].default_mode == "scratch"
