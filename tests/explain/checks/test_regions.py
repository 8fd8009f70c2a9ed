"""Where something is known to lie: masks, boxes, and what is wrong with them."""

import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from medxray.errors import ConfigError, DataError
from medxray.explain.checks.regions import read_regions
from medxray.explain.checks.sample import CheckedImages
from medxray.predict.input_form import InputForm

RUN = SimpleNamespace(form=InputForm((32, 32), 1, "letterbox"))
HEADER = "patientId,x,y,width,height,Target\n"


def sample_of(files):
    (batch,) = RUN.form.stream(files, 16)
    return CheckedImages(files, np.array(["p"] * len(files)), np.zeros(len(files), int), batch.pixels, batch.boxes, {})


@pytest.fixture
def sample(tmp_path):
    """Two images of 80 x 40 pixels: at 32 pixels a side they lie in rows 8 to 24."""
    files = [tmp_path / "images" / name for name in ("one.png", "two.jpeg")]
    files[0].parent.mkdir()
    for file in files:
        cv2.imwrite(str(file), np.full((40, 80), 99, np.uint8))
    return sample_of(files)


def mask(path, *, shape=(40, 80), value=255):
    pixels = np.zeros(shape, np.uint8)
    pixels[: shape[0] // 2, shape[1] // 2 :] = value
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), pixels)


@pytest.mark.parametrize("value", [255, 1])
def test_a_mask_is_brought_to_the_place_that_its_image_has_in_the_input(sample, tmp_path, value):
    mask(tmp_path / "masks" / "one.png", value=value)
    mask(tmp_path / "masks" / "two.bmp", value=0)
    found = read_regions(RUN, sample, masks=tmp_path / "masks")
    expected = np.zeros((16, 32), bool)
    expected[:8, 16:] = True
    assert sample.boxes[0] == (8, 0, 16, 32)
    np.testing.assert_array_equal(found.of_image[0], expected)
    assert not found.of_image[1].any() and found.missing == ()


def test_boxes_are_scaled_from_pixels_of_the_file_and_several_rows_are_joined(sample, tmp_path):
    rows = "one,40,0,40,20,1\none,0,30,5,10,1\ntwo,,,,,0\nother,1,1,1,1,1\n"
    (tmp_path / "boxes.csv").write_text(HEADER + rows)
    found = read_regions(RUN, sample, boxes=tmp_path / "boxes.csv")
    expected = np.zeros((16, 32), bool)
    expected[:8, 16:] = expected[12:, :2] = True
    np.testing.assert_array_equal(found.of_image[0], expected)
    assert not found.of_image[1].any()


def test_images_without_a_mask_are_counted(sample, tmp_path, caplog):
    mask(tmp_path / "masks" / "one.png")
    found = read_regions(RUN, sample, masks=tmp_path / "masks")
    assert found.missing == ("two.jpeg",) and found.of_image[1] is None
    assert "1 of 2 images have no mask" in caplog.text


def test_masks_of_phantoms_are_found_by_themselves(phantoms, sample):
    files = sorted((phantoms / "chest_xray" / "train" / "PNEUMONIA").iterdir())[:3]
    found = read_regions(RUN, sample_of(files))
    assert found.source == "masks of phantoms" and found.missing == ()
    assert all(0 < region.mean() < 0.5 for region in found.of_image)
    assert read_regions(RUN, sample) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("one,0,0,10,1\n", "Expected 6 cells. Received 5"),
        ("one,0,0,wide,10,1\n", r"numbers for x, y, width and height. Received .*'wide'.* \(boxes.csv row 2\)"),
        ("one,90,0,10,10,1\n", r"begin in its image of 80 x 40 pixels.*x=90.*\(boxes.csv row 2\)"),
        ("one,0,0,10,0,1\n", "have a size"),
        ("one,0,0,10,10,yes\n", r"Target must be 0 or 1. Received 'yes' \(boxes.csv row 2\)"),
        ("three,0,0,10,10,1\n", "has nothing for the 2 images of the sample, such as one.png"),
    ],
)
def test_bad_boxes_are_refused_with_their_row(sample, tmp_path, rows, message):
    (tmp_path / "boxes.csv").write_text(HEADER + rows)
    with pytest.raises(DataError, match=message):
        read_regions(RUN, sample, boxes=tmp_path / "boxes.csv")


def test_a_csv_with_other_columns_is_refused(sample, tmp_path):
    (tmp_path / "boxes.csv").write_text("image,x,y,w,h\none,0,0,1,1\n")
    with pytest.raises(DataError, match="There is no column 'patientId'"):
        read_regions(RUN, sample, boxes=tmp_path / "boxes.csv")


def test_bad_folders_of_masks_are_refused(sample, tmp_path):
    with pytest.raises(ConfigError, match="--masks must be a folder. Received"):
        read_regions(RUN, sample, masks=tmp_path / "gone")
    with pytest.raises(ConfigError, match="Give one of them"):
        read_regions(RUN, sample, masks=tmp_path, boxes=tmp_path / "boxes.csv")
    mask(tmp_path / "masks" / "one.png", shape=(40, 40))
    with pytest.raises(DataError, match=re.escape("has another form than its image")):
        read_regions(RUN, sample, masks=tmp_path / "masks")
    (tmp_path / "masks" / "one.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="one.png cannot be read: .* Restore it or remove it"):
        read_regions(RUN, sample, masks=tmp_path / "masks")
    (tmp_path / "masks" / "one.jpg").write_bytes(b"another")
    with pytest.raises(DataError, match="several masks named one"):
        read_regions(RUN, sample, masks=tmp_path / "masks")
