import cv2
import keras
import numpy as np
import pytest

from medxray.data.augment import PARAMETERS, POLICIES, Augment, draw_parameters, policy
from medxray.errors import ConfigError


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return cv2.GaussianBlur(rng.uniform(0, 255, (40, 48)).astype(np.float32), (0, 0), 3)[None, ..., None]


def parameters(**values):
    names = ("angle", "dx", "dy", "scale_x", "scale_y", "brightness", "contrast", "gamma", "noise", "noise_seed")
    names += ("above", "below", "left", "right")
    neutral = dict.fromkeys(names, 0.0) | {"scale_x": 1, "scale_y": 1, "contrast": 1, "gamma": 1}
    return np.array([[(neutral | values)[name] for name in names]], np.float32)


def augment(images, drawn):
    return Augment()(images, drawn, training=True).numpy()


def test_neutral_parameters_change_nothing(images):
    np.testing.assert_allclose(augment(images, parameters()), images, atol=1e-3)


def test_validation_returns_the_images_untouched(images):
    drawn = draw_parameters(POLICIES["strong"], [1], seed=0, view=0)
    assert np.array_equal(Augment()(images, drawn, training=False), images)


def test_affine_agrees_with_opencv(images):
    angle, dx, dy, scale_x, scale_y = np.deg2rad(12), 0.05, -0.03, 1.1, 0.9
    height, width = images.shape[1:3]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    linear = np.array(
        [
            [scale_x * np.cos(angle), -scale_y * np.sin(angle)],
            [scale_x * np.sin(angle), scale_y * np.cos(angle)],
        ]
    )
    offset = centre + [dx * width, dy * height] - linear @ centre
    expected = cv2.warpAffine(images[0, ..., 0], np.c_[linear, offset], (width, height), flags=cv2.INTER_LINEAR)
    drawn = parameters(angle=angle, dx=dx, dy=dy, scale_x=scale_x, scale_y=scale_y)
    inner = (slice(6, -6), slice(6, -6))
    difference = augment(images, drawn)[0, ..., 0][inner] - expected[inner]
    assert np.abs(difference).max() < 1.5 and np.abs(difference).mean() < 0.1  # OpenCV 4 rounds to 1/32 pixel


def test_flip_mirrors_left_to_right(images):
    np.testing.assert_allclose(augment(images, parameters(scale_x=-1)), images[:, :, ::-1], atol=1e-3)


def test_intensity_changes_follow_their_formulas(images):
    brighter = augment(images, parameters(brightness=0.1))
    np.testing.assert_allclose(brighter, np.clip(images + 25.5, 0, 255), atol=1e-3)
    np.testing.assert_allclose(augment(images, parameters(gamma=2)), images**2 / 255, atol=1e-2)
    flat = augment(images, parameters(contrast=0))
    np.testing.assert_allclose(flat, np.full_like(images, images.mean()), atol=1e-2)


def test_noise_has_the_drawn_deviation_and_repeats(images):
    grey = np.full((1, 64, 64, 1), 128.0, np.float32)
    drawn = parameters(noise=0.05, noise_seed=7)
    first = augment(grey, drawn)
    assert first.std() == pytest.approx(0.05 * 255, rel=0.05)
    assert np.array_equal(first, augment(grey, drawn))
    assert not np.array_equal(first, augment(grey, parameters(noise=0.05, noise_seed=8)))


def test_a_sample_is_augmented_alike_in_any_batch():
    drawn = draw_parameters(POLICIES["standard"], [5, 9, 5], seed=1, view=2)
    assert np.array_equal(drawn[0], drawn[2]) and not np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[1:2], draw_parameters(POLICIES["standard"], [9], seed=1, view=2))
    for seed, view in ((0, 2), (1, 3)):
        assert not np.array_equal(drawn[:1], draw_parameters(POLICIES["standard"], [5], seed=seed, view=view))


def test_drawn_parameters_stay_in_the_ranges_of_the_policy():
    chosen = POLICIES["standard"]
    drawn = draw_parameters(chosen, range(300), seed=0, view=0)
    assert drawn.shape == (300, PARAMETERS)
    assert np.abs(np.rad2deg(drawn[:, 0])).max() <= chosen.rotation
    assert np.abs(drawn[:, 1:3]).max() <= chosen.translation
    assert (drawn[:, 3] > 0).all()  # no flip
    assert (draw_parameters(POLICIES["strong"], range(300), seed=0, view=0)[:, 3] < 0).mean() == pytest.approx(
        0.5, abs=0.1
    )


def test_none_draws_the_identity():
    np.testing.assert_array_equal(draw_parameters(POLICIES["none"], [3], seed=0, view=0)[0, :9], parameters()[0, :9])


def test_unknown_policy_names_the_known_ones():
    with pytest.raises(ConfigError, match="none, light, standard, strong, robust. Received 'wild'"):
        policy("wild")


def test_layer_builds_symbolically_inside_a_model():
    image, drawn = keras.Input((8, 8, 1)), keras.Input((PARAMETERS,))
    assert keras.Model([image, drawn], Augment()(image, drawn)).output_shape == (None, 8, 8, 1)


@pytest.fixture
def letterboxed():
    """Three bright images: bars above and below, bars at the sides, no bars; and the widths of the bars."""
    bars = np.array([[9, 7, 0, 0], [0, 0, 5, 11], [0, 0, 0, 0]])
    images = np.zeros((3, 40, 48, 1), np.float32)
    for image, (above, below, left, right) in zip(images, bars, strict=True):
        image[above : 40 - below, left : 48 - right] = 120
    return images, bars


def test_bars_stay_black_under_every_policy(letterboxed):
    images, bars = letterboxed
    for name in ("light", "standard", "strong"):
        for view in range(20):
            changed = augment(images, draw_parameters(POLICIES[name], range(3), seed=0, view=view, bars=bars))
            assert not changed[images == 0].any()
            assert (changed > 0).mean(axis=(1, 2, 3)).min() > 0.3


def test_what_comes_from_outside_the_image_is_black_also_where_it_is_made_brighter(letterboxed):
    images, _ = letterboxed
    shifted = augment(images[2:], parameters(dx=0.25, brightness=0.3, noise=0.05, noise_seed=1))
    assert not shifted[:, :, :11].any() and shifted[:, :, 13:].all()
    boxed = augment(images[1:2], parameters(dx=0.25, brightness=0.3, left=5, right=11))
    assert not boxed[:, :, :16].any() and not boxed[:, :, 37:].any() and boxed[:, :, 18:37].all()


def test_contrast_turns_about_the_mean_of_the_image_without_its_bars(letterboxed):
    images, bars = letterboxed
    drawn = np.vstack(
        [parameters(contrast=1.4, **dict(zip(("above", "below", "left", "right"), bar, strict=True))) for bar in bars]
    )
    np.testing.assert_allclose(augment(images, drawn), images, atol=1e-3)


def test_bars_change_nothing_of_what_is_drawn():
    bars = np.array([[3, 4, 0, 0]])
    drawn = draw_parameters(POLICIES["strong"], [3], seed=0, view=0, bars=bars)
    np.testing.assert_array_equal(drawn[:, :-4], draw_parameters(POLICIES["strong"], [3], seed=0, view=0)[:, :-4])
    np.testing.assert_array_equal(drawn[:, -4:], bars)
