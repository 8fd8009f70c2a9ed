"""Images behind predictions that were made from vectors."""

import cv2
import numpy as np
import pytest

from medxray.errors import ImageError
from medxray.evaluation.pictures import FilePictures


def test_sizes_come_from_the_files_and_unknown_ones_are_nan(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((30, 50), np.uint8))
    table = FilePictures([tmp_path / "a.png", tmp_path / "gone.png"]).statistics()
    np.testing.assert_array_equal(table.to_numpy(), [[50, 30, np.nan], [np.nan] * 3])
    assert list(table) == ["width", "height", "brightness"] and len(FilePictures([]).statistics()) == 0


def test_thumbnail_is_the_image_of_the_row(tmp_path):
    for value in (10, 20):
        cv2.imwrite(str(tmp_path / f"{value}.png"), np.full((30, 50), value, np.uint8))
    pictures = FilePictures([tmp_path / "10.png", tmp_path / "20.png", tmp_path / "gone.png"])
    assert pictures.thumbnail(1)[0, 0] == 20
    with pytest.raises(ImageError, match="No such file"):
        pictures.thumbnail(2)
