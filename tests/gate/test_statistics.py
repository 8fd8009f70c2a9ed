"""Descriptions of images: known values, and what must not matter."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from medxray.data.images.decode import resize
from medxray.gate.statistics import SIGMAS, Description, describe


def described(images):
    return Description(*(part.numpy() for part in describe(np.asarray(images, np.float32))))


def test_tone_by_hand():
    board = np.indices((128, 128)).sum(axis=0) % 2 * 100 + 50.0  # 50 and 150
    np.testing.assert_allclose(described(board[None, ..., None]).tone[0], [100 / 64, np.log(51), 0], atol=1e-4)


def test_texture_is_the_detail_between_gaussians_in_each_region():
    picture = np.random.default_rng(0).uniform(20, 250, (128, 128))
    picture[:, 64:] = cv2.GaussianBlur(picture[:, 64:], (0, 0), 3)
    unit = (picture - picture.mean()) / (picture.std() + 1)
    levels = [unit, *(gaussian_filter(unit, sigma, mode="reflect", truncate=12) for sigma in SIGMAS)]
    bands = np.array([one - other for one, other in zip(levels[:-1], levels[1:], strict=True)])
    power = (bands**2).reshape(3, 8, 16, 8, 16).mean(axis=(2, 4))
    texture = described(picture[None, ..., None]).texture[0]
    np.testing.assert_allclose(texture[:192], np.log(np.sqrt(power) + 0.01).ravel(), atol=1e-3)
    left, right = texture.reshape(7, 8, 8)[..., :4], texture.reshape(7, 8, 8)[..., 4:]
    assert (left.mean(axis=(1, 2)) > right.mean(axis=(1, 2))).all()


def test_texture_finds_detail_at_its_scale():
    bands = []
    for period in (2, 5, 10):
        waves = 100 + 50 * np.cos(2 * np.pi * np.arange(128) / period)[None] * np.ones((128, 1))
        bands.append(int(described(waves[None, ..., None]).texture[:, :192].reshape(3, 64).mean(axis=1).argmax()))
    assert bands == [0, 1, 2]


def test_texture_has_the_second_differences_of_the_blurred_image_in_four_directions():
    picture = np.random.default_rng(1).uniform(20, 250, (128, 128))
    unit = (picture - picture.mean()) / (picture.std() + 1)
    blurred = gaussian_filter(unit, SIGMAS[0], mode="reflect", truncate=12)
    line = np.array([[0, 0, 0], [-1, 2, -1], [0, 0, 0]])
    diagonal = np.diag([-1, 2, -1])
    kernels = (line, line.T, diagonal, diagonal[::-1])
    power = np.array([convolve(blurred, kernel, mode="reflect") ** 2 for kernel in kernels])
    expected = np.log(np.sqrt(power.reshape(4, 8, 16, 8, 16).mean(axis=(2, 4))) + 0.01).ravel()
    np.testing.assert_allclose(described(picture[None, ..., None]).texture[0, 192:], expected, atol=1e-3)


def test_texture_tells_stripes_from_stripes():
    stripes = 100 + 50 * np.cos(2 * np.pi * np.arange(128) / 4)[None] * np.ones((128, 1))
    texture = described(np.stack([stripes, stripes.T])[..., None]).texture[:, 192:]
    upright, lying = texture.reshape(2, 4, 64).mean(axis=2)
    assert upright[0] > upright[1] + 2 and lying[1] > lying[0] + 2


def test_layout_is_block_means_standardised():
    picture = np.random.default_rng(0).uniform(20, 250, (128, 128))
    blocks = picture.reshape(16, 8, 16, 8).mean(axis=(1, 3)).ravel()
    layout = described(picture[None, ..., None])[0][0]
    np.testing.assert_allclose(layout, (blocks - blocks.mean()) / (blocks.std() + 1), atol=1e-4)


def test_blank_images_have_a_zero_layout_and_the_texture_of_nothing():
    for value in (0.0, 3.0, 255.0):
        layout, tone, texture = described(np.full((1, 48, 48, 1), value))
        np.testing.assert_allclose(layout, 0.0, atol=1e-4)
        np.testing.assert_allclose(tone, [[value / 64, 0, 0]], atol=1e-4)
        np.testing.assert_allclose(texture, np.log(0.01), atol=1e-2)


@pytest.mark.parametrize("shape", [(150, 224), (224, 120)])
def test_letterbox_bars_and_aspect_hardly_count(chests, shape):
    square = cv2.resize(chests(1, 4)[0, ..., 0], (224, 224), interpolation=cv2.INTER_CUBIC)
    other = cv2.resize(square, shape[::-1], interpolation=cv2.INTER_AREA)[..., None]
    boxed = resize(other.astype(np.float32), (224, 224), "letterbox").numpy()
    assert (boxed == 0).mean() > 0.2
    layouts, tones, textures = described([square[..., None], boxed])
    assert np.abs(layouts[0] - layouts[1]).max() < 0.15
    assert np.abs(tones[0] - tones[1]).max() < 0.15
    assert np.abs(textures[0] - textures[1]).mean() < 0.15


def test_the_inverted_image_has_the_inverted_layout_bars_or_not(chests):
    boxed = np.zeros((1, 64, 64, 1), np.float32)
    boxed[:, 10:50] = chests(1, 8)[:, 12:52]
    for images in (chests(1, 8).astype(np.float32), boxed):
        layouts = [described(part)[0] for part in (images, 255 - images)]
        np.testing.assert_allclose(layouts[0], -layouts[1], atol=1e-3)


def test_brightness_and_contrast_do_not_move_the_layout(chests):
    picture = chests(1, 5).astype(np.float32)
    layouts, tones, textures = described(np.concatenate([picture, 0.6 * picture + 60]))
    assert np.abs(layouts[0] - layouts[1]).max() < 0.05
    assert np.abs(textures[0] - textures[1]).max() < 0.05
    assert abs(tones[0, 0] - tones[1, 0]) > 0.1
    assert abs(tones[0, 1] - tones[1, 1]) > 0.3


def test_colour_counts_and_a_grey_picture_in_three_channels_is_grey(chests):
    grey = chests(1, 6)
    three = np.repeat(grey, 3, axis=3)
    tinted = np.clip(three.astype(np.float32) * (1.0, 0.7, 0.4), 0, 255)
    one, same, other = (described(images) for images in (grey, three, tinted))
    np.testing.assert_allclose(one[0], same[0], atol=1e-3)
    np.testing.assert_allclose(one.tone, same.tone, atol=1e-3)
    np.testing.assert_allclose(one.texture, same.texture, atol=1e-3)
    assert other.tone[0, 2] > 2


def test_images_of_one_batch_do_not_influence_each_other(chests):
    images = np.concatenate([chests(3, 7), np.zeros((1, 64, 64, 1), np.uint8)])
    together = described(images)
    alone = [described(images[row : row + 1]) for row in range(4)]
    for part in range(3):
        np.testing.assert_allclose(together[part], np.concatenate([one[part] for one in alone]), atol=1e-4)
