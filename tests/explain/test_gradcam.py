import keras
import numpy as np
import pytest
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.gradcam import compiled_gradcam
from medxray.explain.keras_vis import gradcam
from medxray.explain.layers import heat_layers
from medxray.explain.maps import default_targets, fixed_target, target_scores, upsample
from medxray.metrics.calibration import Calibration
from medxray.models.registry import ARCHITECTURES
from tests.fixtures.architectures import architectures, map_rounding, with_signal


def tiny_network(kernel):
    """Input 2x2; activations A1 = x and A2 = 12 - x; logits = pooled @ kernel. Everything can be done by hand."""
    image = keras.Input((2, 2, 1), name="image")
    features = keras.layers.Conv2D(2, 1, name="conv")(image)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    model = keras.Model(image, keras.layers.Softmax()(keras.layers.Dense(2, use_bias=False, name="logits")(pooled)))
    model.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([0.0, 12.0])])
    model.get_layer("logits").set_weights([np.array(kernel, float)])
    return model


PIXELS = np.array([[0, 4], [8, 12]], np.float32)[None, :, :, None]
BY_HAND = [  # kernel column (w1, w2) less that of the other class -> relu(w1 * x + w2 * (12 - x)) / 4, scaled to 0-1
    ((2.0, 1.0), [[0, 1 / 3], [2 / 3, 1]]),  # 3 4 5 6
    ((-1.0, 1.0), [[1, 1 / 3], [0, 0]]),  # 3 1 -1 -3
    ((-1.0, -2.0), [[0, 0], [0, 0]]),  # all negative
    ((1.0, 1.0), [[0, 0], [0, 0]]),  # 3 everywhere
]


@pytest.mark.parametrize(("column", "expected"), BY_HAND)
def test_gradcam_is_what_the_equations_give_by_hand(column, expected):
    model = tiny_network([[column[0] + 0.5, 0.5], [column[1] - 0.75, -0.75]])
    by_library = gradcam(model, PIXELS, [0], layer="conv")
    compiled = compiled_gradcam(model, "conv")(PIXELS, [0]).numpy()
    np.testing.assert_allclose(by_library, [expected], atol=1e-6)
    np.testing.assert_allclose(compiled, [expected], atol=1e-6)


def test_models_that_give_equal_probabilities_have_equal_maps():
    column = np.array([2.0, 1.0])
    shifts = (np.zeros(2), np.array([5.0, -3.0]))  # added to both logits: the softmax stays
    maps = [gradcam(tiny_network(np.stack([column + s, s], axis=1)), PIXELS, [0], layer="conv") for s in shifts]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6)


def test_of_three_classes_the_mean_of_the_other_two_is_taken_away():
    logits = tf.constant([[1.0, 4.0, 10.0]])
    assert target_scores(logits, fixed_target(1)).numpy() == pytest.approx([4 - (1 + 10) / 2])


_IN_CONTRACTS = (  # where every architecture's map is held against that of tf-keras-vis too
    "vgg19",
    "resnet50",
    "resnet50-v1.5",
    "densenet121",
    "mobilenetv3-large",
    "efficientnetv2-b0",
)


@pytest.fixture(scope="module", params=architectures(slow=_IN_CONTRACTS))
def classifier(request, classifier_of, pixels):
    """Every architecture at 64 pixels."""
    return with_signal(classifier_of(request.param.name, size=64, channels=1, classes=2), pixels.astype(np.float32))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 1)).astype(np.uint8)


def test_every_architecture_gives_the_same_map_compiled_and_by_tf_keras_vis(classifier, pixels):
    layer = ARCHITECTURES[classifier.name].heat_layer
    targets = np.array([1, 0], np.int32)
    maps = gradcam(classifier, pixels, targets, layer=layer)
    assert maps.dtype == np.float32
    assert maps.shape == (2, *dict((name, size) for name, *size in heat_layers(classifier))[layer])
    assert maps.min() >= 0 and maps.max() <= 1
    assert (maps.max(axis=(1, 2)) > 0.9).any()  # a map is empty where everything speaks for the other class
    compiled = compiled_gradcam(classifier, layer)(pixels.astype(np.float32), targets).numpy()
    np.testing.assert_allclose(compiled, maps, atol=map_rounding(classifier.name))


def test_every_default_heat_layer_is_offered_and_nothing_before_the_first_convolution(classifier):
    names = [name for name, *_ in heat_layers(classifier)]
    assert ARCHITECTURES[classifier.name].heat_layer in names
    assert {"image", "grey_to_rgb", "preprocess", "pooled", "logits"}.isdisjoint(names)
    assert isinstance(classifier.get_layer(names[0]), keras.layers.Conv2D)


@pytest.fixture(scope="module")
def small(classifier_of):
    return classifier_of("shallow-cnn", size=32, channels=1, classes=3)


def test_each_map_depends_on_its_own_image_and_target_only(small):
    pixels = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 1)).astype(np.uint8)
    targets = np.array([0, 1, 2, 2, 1, 0])
    together = gradcam(small, pixels, targets, layer="block2_pool")
    for row in (0, 3, 5):
        alone = gradcam(small, pixels[row : row + 1], targets[row : row + 1], layer="block2_pool")
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_maps_do_not_change_with_the_scale_of_a_logit():
    small, large = tiny_network([[2.0, 0], [1.0, 0]]), tiny_network([[200.0, 0], [100.0, 0]])
    maps = [gradcam(model, PIXELS, [0], layer="conv") for model in (small, large)]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6)


def test_no_images_give_no_maps(small):
    assert gradcam(small, np.zeros((0, 32, 32, 1), np.uint8), [], layer="block3_relu").shape == (0, 8, 8)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision_models_give_float32_maps_in_both_ways(policy, classifier_of):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = classifier_of("shallow-cnn", size=32, channels=1, classes=2)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("block3_relu").compute_dtype == policy.removeprefix("mixed_")
    pixels = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 1)).astype(np.float32)
    maps = gradcam(model, pixels, [1, 0], layer="block3_relu")
    compiled = compiled_gradcam(model, "block3_relu")(pixels, np.array([1, 0], np.int32))
    assert maps.dtype == np.float32 and compiled.dtype == tf.float32
    assert (maps.max(axis=(1, 2)) > 0.9).any()  # a map is empty where everything speaks for the other class
    np.testing.assert_allclose(compiled, maps, atol=1e-4)


def test_gradcam_raises_no_warnings(small, recwarn):
    gradcam(small, np.zeros((1, 32, 32, 1), np.uint8), [1], layer="block3_relu")
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("explain", [lambda *a: gradcam(a[0], PIXELS, [0], layer=a[1]), compiled_gradcam])
def test_unknown_layer_error_names_layers_spelt_alike_and_the_list(small, explain):
    with pytest.raises(ConfigError, match=r"'block2_pol' does not exist.*block2_pool.*--layer list"):
        explain(small, "block2_pol")


@pytest.mark.parametrize("layer", ["pooled", "logits", "preprocess"])
def test_layer_without_spatial_detail_is_refused(small, layer):
    with pytest.raises(ConfigError, match=f"'{layer}' has no spatial detail"):
        compiled_gradcam(small, layer)


@pytest.mark.parametrize("targets", [[0], [0, 3], [0, -1], [[0, 1]]])
def test_targets_that_do_not_fit_are_refused(small, targets):
    with pytest.raises(ValueError, match="targets must be 2 class indices from 0 to 2"):
        gradcam(small, np.zeros((2, 32, 32, 1), np.uint8), targets, layer="block3_relu")


def test_default_target_is_the_positive_class_of_two_and_the_predicted_of_more():
    two, three = tf.constant([[3.0, 1.0], [0.0, 1.0]]), tf.constant([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    assert default_targets(2, Calibration(1.0, (0.0, -9.0)))(two).numpy().tolist() == [1, 1]
    assert default_targets(3, Calibration())(three).numpy().tolist() == [0, 2]
    assert default_targets(3, Calibration(2.0, (0.0, 0.6, 0.0)))(three).numpy().tolist() == [0, 1]


def test_upsampling_is_bilinear_with_half_pixel_centres():
    rows = np.array([[[0.0, 1.0], [0.0, 1.0]]], np.float32)
    np.testing.assert_allclose(upsample(rows, (3, 4))[0], [[0, 0.25, 0.75, 1]] * 3, atol=1e-6)


def test_upsampling_keeps_the_range_and_a_map_of_the_same_size():
    maps = np.random.default_rng(3).uniform(size=(2, 7, 7)).astype(np.float32)
    large = upsample(maps, (50, 61)).numpy()
    assert large.shape == (2, 50, 61) and large.min() >= maps.min() and large.max() <= maps.max()
    np.testing.assert_array_equal(upsample(maps, (7, 7)), maps)
