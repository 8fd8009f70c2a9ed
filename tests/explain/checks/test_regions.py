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
    path.parent.mkdir(parents=True, exist_ok=True)
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
        ("one,0,0,wide,10,1\n", r"numbers for x, y, width and height. Received 'wide' \(boxes.csv row 2, column width"),
        ("one,0,0,inf,10,1\n", r"numbers for x, y.*Received 'inf' \(boxes.csv row 2, column width"),
        ("one,0,0,10,1e999,1\n", r"Received '1e999' \(boxes.csv row 2, column height"),
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


@pytest.fixture
def twins(tmp_path):
    """Two images of one name, in the folders of two classes."""
    files = [tmp_path / "images" / name / "a.png" for name in ("NORMAL", "PNEUMONIA")]
    for file in files:
        file.parent.mkdir(parents=True)
        cv2.imwrite(str(file), np.full((40, 80), 99, np.uint8))
    return sample_of(files)


def test_images_of_one_name_have_the_masks_of_their_folders(twins, tmp_path):
    mask(tmp_path / "masks" / "NORMAL" / "a.png", value=0)
    mask(tmp_path / "masks" / "PNEUMONIA" / "a.png")
    found = read_regions(RUN, twins, masks=tmp_path / "masks")
    assert [region.any() for region in found.of_image] == [False, True]


def test_a_mask_of_the_other_class_is_not_taken(twins, tmp_path):
    mask(tmp_path / "masks" / "PNEUMONIA" / "a.png")
    found = read_regions(RUN, twins, masks=tmp_path / "masks")
    assert found.of_image[0] is None and found.of_image[1].any() and found.missing == ("a.png",)


def test_a_mask_that_two_images_fit_is_refused(twins, tmp_path):
    mask(tmp_path / "masks" / "a.png")
    with pytest.raises(DataError, match=r"a.png of .*masks fits two .*NORMAL.a.png and .*PNEUMONIA.a.png") as one:
        read_regions(RUN, twins, masks=tmp_path / "masks")
    assert "as in NORMAL/a and PNEUMONIA/a" in str(one.value) and "\n" not in str(one.value)


def test_masks_in_other_folders_are_matched_by_name_alone_with_a_warning(sample, tmp_path, caplog):
    mask(tmp_path / "masks" / "part1" / "one.png")
    mask(tmp_path / "masks" / "part2" / "two.png")
    assert all(region.any() for region in read_regions(RUN, sample, masks=tmp_path / "masks").of_image)
    assert "2 masks of" in caplog.text and "the name alone matched them" in caplog.text


def test_boxes_of_images_of_one_name_need_their_folders(twins, tmp_path):
    table = tmp_path / "boxes.csv"
    table.write_text(HEADER + "a,0,0,10,10,1\n")
    with pytest.raises(DataError, match=r"a of .*boxes.csv fits two images, .*NORMAL.a.png and .*PNEUMONIA.a.png"):
        read_regions(RUN, twins, boxes=table)
    table.write_text(HEADER + "NORMAL/a,,,,,0\nPNEUMONIA/a,0,0,10,10,1\n")
    assert [region.any() for region in read_regions(RUN, twins, boxes=table).of_image] == [False, True]


def phantom_folder(root):
    """A folder of phantoms, of which only what a lookup needs is there: one picture with a mask."""
    (root / "chest_xray").mkdir(parents=True)
    (root / "chest_xray" / "PHANTOMS.md").write_text("phantoms")
    cv2.imwrite(str(root / "chest_xray" / "a.jpeg"), np.full((40, 80), 99, np.uint8))
    return root / "chest_xray" / "a.jpeg"


def test_phantoms_of_two_folders_keep_their_own_masks(tmp_path):
    files = [phantom_folder(tmp_path / name) for name in ("one", "two")]
    mask(tmp_path / "one" / "masks" / "a.png")
    mask(tmp_path / "two" / "masks" / "a.png", value=0)
    assert [region.any() for region in read_regions(RUN, sample_of(files)).of_image] == [True, False]


@pytest.mark.parametrize(("name", "value"), [("one.png", 2), ("one.png", 127), ("one.jpeg", 1), ("one.jpeg", 2)])
def test_grey_below_half_of_full_scale_is_outside_and_told_of(sample, tmp_path, caplog, name, value):
    mask(tmp_path / "masks" / name, value=value)
    found = read_regions(RUN, sample, masks=tmp_path / "masks")
    assert not found.of_image[0].any() and "1 of 1 masks, such as" in caplog.text and name in caplog.text


def test_noise_of_a_png_that_fades_to_1_is_no_mask_of_0_and_1(sample, tmp_path):
    noise = np.zeros((40, 80), np.uint8)
    noise[:, ::2] = 2
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "one.png"), noise)
    assert not read_regions(RUN, sample, masks=tmp_path / "masks").of_image[0].any()


@pytest.mark.parametrize("box", ["79.9,39.9,0.1,0.1", "0,0,0.1,0.1", "79.9,0,5,0.1"])
def test_a_box_has_one_pixel_of_the_input_at_least(sample, tmp_path, box):
    (tmp_path / "boxes.csv").write_text(HEADER + f"one,{box},1\n")
    assert read_regions(RUN, sample, boxes=tmp_path / "boxes.csv").of_image[0].sum() == 1
