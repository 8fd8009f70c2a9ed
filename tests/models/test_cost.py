"""Multiply-accumulates, counted by hand and as published; images per second."""

import keras
import pytest
from keras import layers

from medxray.models import cost
from medxray.models.classifier import build_classifier, embedder


def test_multiply_accumulates_of_a_small_graph_are_those_counted_by_hand():
    image = keras.Input((8, 8, 2))
    tensor = layers.Conv2D(4, 3, strides=2, padding="same")(image)  # 4*4 places, 3*3*2 -> 4: 1152
    tensor = layers.DepthwiseConv2D(3)(tensor)  # 2*2 places, 3*3 for each of 4: 144
    tensor = layers.Conv2D(6, 1, groups=2)(tensor)  # 4 places, 2 -> 3 twice: 48
    tensor = layers.BatchNormalization()(tensor)
    tensor = layers.Dense(5)(tensor)  # 4 places, 6 -> 5: 120
    tensor = layers.GlobalAveragePooling2D()(layers.ReLU()(tensor))
    assert cost.macs(keras.Model(image, layers.Dense(7)(tensor))) == 1152 + 144 + 48 + 120 + 5 * 7


@pytest.mark.parametrize(
    ("name", "millions", "classifier"),
    [
        ("vgg16", 15_470, 25_088 * 4096 + 4096 * 4096 + 4096 * 1000),
        ("alexnet", 714, 9_216 * 4096 + 4096 * 4096 + 4096 * 1000),
        ("resnet50-v1.5", 4_089, 2048 * 1000),
        ("densenet161", 7_728, 2208 * 1000),
        ("mobilenetv3-large", 217, 960 * 1280 + 1280 * 1000),
    ],
)
def test_multiply_accumulates_are_the_published_ones_less_the_dense_layers(name, millions, classifier):
    """Published: torchvision's documentation, GFLOPS of the models, which counts multiply-accumulates."""
    model = embedder(build_classifier(name, image_size=224, channels=3, classes=2))
    assert cost.macs(model) + classifier == pytest.approx(millions * 1e6, rel=0.003)


def test_images_per_second_are_those_of_the_median_pass_and_the_first_is_not_timed(monkeypatch):
    model = build_classifier("shallow-cnn", image_size=32, channels=1, classes=2)
    taken = iter([50.0, 1.0, 9.0, 2.0, 4.0, 3.0])
    monkeypatch.setattr(cost, "_seconds", lambda forward, batch: next(taken))
    assert cost.images_per_second(model) == cost.BATCH / 3


def test_images_per_second_are_measured():
    model = build_classifier("shallow-cnn", image_size=32, channels=1, classes=2)
    assert 1 < cost.images_per_second(model) < 1e7
