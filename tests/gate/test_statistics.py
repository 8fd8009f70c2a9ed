"""Descriptions of images: known values, and what must not matter."""

import cv2
import numpy as np
import pytest

from medxray.data.decode import resize
from medxray.gate.statistics import describe


def described(images):
    layout, texture = describe(np.asarray(images, np.float32))
    return layout.numpy(), texture.numpy()


def test_texture_of_a_checkerboard_by_hand():
    board = np.kron(np.indices((64, 64)).sum(axis=0) % 2, np.ones((1, 1))) * 100 + 50.0  # 50 and 150, mean 100
    texture = described(board[None, ..., None])[1][0]
    # one pixel per canvas pixel: the first halving takes everything away, deviation and loss are both 50
    assert texture[0] == pytest.approx(np.log(50.25 / 51), abs=1e-4)
    np.testing.assert_allclose(texture[1:4], np.log(0.25 / 51), atol=1e-4)
    np.testing.assert_allclose(texture[4:], [100 / 64, np.log(51), 0], atol=1e-4)


def test_texture_finds_detail_at_its_scale():
    bands = []
    for cell in (1, 2, 4, 8):
        board = np.kron(np.indices((64 // cell,) * 2).sum(axis=0) % 2, np.ones((cell, cell))) * 100.0 + 50
        bands.append(int(described(board[None, ..., None])[1][0, :4].argmax()))
    assert bands == [0, 1, 2, 3]


def test_layout_is_block_means_standardised():
    picture = np.random.default_rng(0).uniform(20, 250, (64, 64))
    blocks = picture.reshape(16, 4, 16, 4).mean(axis=(1, 3)).ravel()
    layout = described(picture[None, ..., None])[0][0]
    np.testing.assert_allclose(layout, (blocks - blocks.mean()) / (blocks.std() + 1), atol=1e-4)


def test_blank_images_have_a_zero_layout_and_finite_texture():
    for value in (0.0, 3.0, 255.0):
        layout, texture = described(np.full((1, 48, 48, 1), value))
        np.testing.assert_allclose(layout, 0.0, atol=1e-4)
        assert np.isfinite(texture).all()
        assert texture[0, 4] == pytest.approx(value / 64, abs=1e-5)


@pytest.mark.parametrize("shape", [(150, 224), (224, 120)])
def test_letterbox_bars_and_aspect_hardly_count(chests, shape):
    square = cv2.resize(chests(1, 4)[0, ..., 0], (224, 224), interpolation=cv2.INTER_CUBIC)
    other = cv2.resize(square, shape[::-1], interpolation=cv2.INTER_AREA)[..., None]
    boxed = resize(other.astype(np.float32), (224, 224), "letterbox").numpy()
    assert (boxed == 0).mean() > 0.2
    layouts, textures = described([square[..., None], boxed])
    assert np.abs(layouts[0] - layouts[1]).max() < 0.15
    assert np.abs(textures[0] - textures[1]).max() < 0.15


def test_the_inverted_image_has_the_inverted_layout_bars_or_not(chests):
    boxed = np.zeros((1, 64, 64, 1), np.float32)
    boxed[:, 10:50] = chests(1, 8)[:, 12:52]
    for images in (chests(1, 8).astype(np.float32), boxed):
        layouts = [described(part)[0] for part in (images, 255 - images)]
        np.testing.assert_allclose(layouts[0], -layouts[1], atol=1e-3)


def test_brightness_and_contrast_do_not_move_the_layout(chests):
    picture = chests(1, 5).astype(np.float32)
    layouts, textures = described(np.concatenate([picture, 0.6 * picture + 60]))
    assert np.abs(layouts[0] - layouts[1]).max() < 0.05
    assert abs(textures[0, 4] - textures[1, 4]) > 0.1
    assert abs(textures[0, 5] - textures[1, 5]) > 0.3


def test_colour_counts_and_a_grey_picture_in_three_channels_is_grey(chests):
    grey = chests(1, 6)
    three = np.repeat(grey, 3, axis=3)
    tinted = np.clip(three.astype(np.float32) * (1.0, 0.7, 0.4), 0, 255)
    one, same, other = (described(images) for images in (grey, three, tinted))
    np.testing.assert_allclose(one[0], same[0], atol=1e-3)
    np.testing.assert_allclose(one[1], same[1], atol=1e-3)
    assert other[1][0, 6] > 2


def test_images_of_one_batch_do_not_influence_each_other(chests):
    images = np.concatenate([chests(3, 7), np.zeros((1, 64, 64, 1), np.uint8)])
    together = described(images)
    alone = [described(images[row : row + 1]) for row in range(4)]
    for part in range(2):
        np.testing.assert_allclose(together[part], np.concatenate([one[part] for one in alone]), atol=1e-4)
