"""Images inside a MedMNIST file are opened by name like files."""

from pathlib import Path

import numpy as np
import pytest

from medxray.data.images import access
from medxray.data.images.array_images import ArrayImage, array_image, array_names
from medxray.data.images.files import identify, read_pixels
from medxray.data.images.load import load_image
from medxray.data.images.thumbnails import read_thumbnail
from medxray.errors import ImageError
from medxray.predict.input_form import InputForm


@pytest.mark.parametrize("side", [28, 29, 31])
@pytest.mark.parametrize("colour", [False, True])
def test_decoded_pixels_are_those_of_the_array(medmnist_file, arrays_of, side, colour):
    file, channels = medmnist_file(side=side, colour=colour), 3 if colour else 1
    expected = arrays_of(side=side, colour=colour)["val_images"].reshape(-1, side, side, channels)
    loaded = [load_image(file / f"val-{row}", InputForm((side, side), channels, "letterbox")) for row in range(10)]
    assert not any(image.reason for image in loaded)
    assert np.array_equal([image.pixels for image in loaded], expected)
    assert np.array_equal(read_thumbnail(file / "val-3").reshape(side, side, channels), expected[3])


def test_header_says_size_and_channels(medmnist_file):
    info = identify(medmnist_file("x.npz", side=64, colour=True) / "train-0")
    assert (info.width, info.height, info.channels, info.bits) == (64, 64, 3, 8)
    with pytest.raises(ImageError, match="decoded by TensorFlow"):
        read_pixels(medmnist_file() / "train-0", 1)


def test_digest_and_size_are_of_the_pixels_and_not_of_the_file(medmnist_file):
    one, other = medmnist_file("a.npz"), medmnist_file("b.npz")
    assert access.content_sha256(one / "test-4") == access.content_sha256(other / "test-4")
    assert access.content_sha256(one / "test-4") != access.content_sha256(one / "test-5")
    assert access.content_size(one / "test-4") == len(access.content_of(one / "test-4"))


def test_only_names_of_its_images_lead_into_a_file(medmnist_file, tmp_path):
    file = medmnist_file(counts=(2, 1, 1))
    assert array_names(file) == ["train-0", "train-1", "val-0", "test-0"]
    assert array_image(file / "val-7") == ArrayImage(file, "val", 7) and array_image(file) is None
    assert access.is_image_file(file / "val-0") and not access.is_image_file(file / "val-7")
    for name in ("val-00", "other-0", "val-", "val-1.png", "val--1"):
        assert array_image(file / name) is None and not access.is_image_file(file / name)
    with pytest.raises(ImageError, match="its val split has 1 images"), access.naming(file / "val-7"):
        access.open_image(file / "val-7")


def test_a_folder_named_like_a_file_is_a_folder(tmp_path, write_image):
    write_image(tmp_path / "set.npz" / "val-0.png")
    (tmp_path / "set.npz" / "val-0.png").rename(tmp_path / "set.npz" / "val-0")
    assert array_image(Path(tmp_path / "set.npz" / "val-0")) is None
    assert identify(tmp_path / "set.npz" / "val-0").format == "PNG"
