"""What stands between pixels and a backbone."""

import keras
import numpy as np
import pytest

from medxray.errors import ConfigError
from medxray.models.architectures.row import Architecture
from medxray.models.preprocessing import PREPROCESSINGS, preprocessing


def applied(name, images, *, grey):
    image = keras.Input(images.shape[1:])
    return keras.Model(image, preprocessing(name)(image, grey=grey))(images).numpy()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)


@pytest.mark.parametrize(("name", "module"), [("caffe", "vgg16"), ("caffe", "resnet"), ("torch", "densenet")])
def test_colour_images_become_what_keras_applications_make_of_them(name, module, images):
    expected = getattr(keras.applications, module).preprocess_input(images.copy())
    np.testing.assert_allclose(applied(name, images, grey=False), expected, atol=1e-4)


@pytest.mark.parametrize("name", PREPROCESSINGS)
def test_equal_planes_need_no_order_of_colours(name, images):
    equal = np.repeat(images[..., :1], 3, axis=-1)
    np.testing.assert_allclose(applied(name, equal, grey=True), applied(name, equal, grey=False), atol=1e-5)


@pytest.mark.parametrize("planes", [1, 3])
def test_unit_is_minus_one_to_one(planes):
    ramp = np.linspace(0, 255, 4 * planes, dtype=np.float32).reshape(1, 2, 2, planes)
    np.testing.assert_allclose(applied("unit", ramp, grey=planes == 1), ramp / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("planes", [1, 3])
def test_lite_is_a_little_off_minus_one_to_one(planes):
    ramp = np.linspace(0, 255, 4 * planes, dtype=np.float32).reshape(1, 2, 2, planes)
    np.testing.assert_allclose(applied("lite", ramp, grey=planes == 1), (ramp - 127) / 128, atol=1e-6)


def test_unknown_preprocessing_is_an_error_and_no_row_can_have_it():
    with pytest.raises(ConfigError, match="must be one of caffe, torch, unit, lite. Received 'tensorflow'"):
        preprocessing("tensorflow")
    with pytest.raises(ConfigError, match="Received ''"):
        Architecture("tiny", None, (), "", preprocessing="", paper="")
