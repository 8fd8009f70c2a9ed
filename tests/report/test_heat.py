"""Heat of images: stored, read, drawn and said in words."""

import base64

import cv2
import numpy as np
import pytest

from medxray.errors import DataError
from medxray.report.heat import SIDE, Heats, heat_picture, read_heats, small_heat, strongest_place, write_heats


def test_what_is_written_is_read(tmp_path):
    heats = np.arange(2 * SIDE * SIDE, dtype=np.uint32).astype(np.uint8).reshape(2, SIDE, SIDE)
    write_heats(tmp_path / "g.npz", Heats("gradcam", np.array(["a", "b"]), np.array(["X", "Y"]), heats))
    found = read_heats(tmp_path / "g.npz")
    assert found.method == "gradcam" and found.of("c") is None
    heat, target = found.of("b")
    assert target == "Y" and (heat == heats[1]).all()


@pytest.mark.parametrize("change", [{"kind": np.array("other")}, {"heats": np.zeros((2, 3, 3), np.uint8)}])
def test_a_file_of_another_kind_is_refused(tmp_path, change):
    arrays = {"kind": np.array("medxray-gallery"), "method": np.array("g"), "paths": np.array(["a"])}
    arrays |= {"targets": np.array(["X"]), "heats": np.zeros((1, SIDE, SIDE), np.uint8)}
    np.savez(tmp_path / "g.npz", **(arrays | change))
    with pytest.raises(DataError, match="--gallery"):
        read_heats(tmp_path / "g.npz")


def test_heat_is_brought_to_one_size_and_its_opacity_is_proportional_to_it():
    heat = small_heat(np.array([[0.0, 1.0]]))
    assert heat.shape == (SIDE, SIDE) and heat[:, 0].max() == 0 and heat[:, -1].min() == 255
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(heat_picture(heat)), np.uint8), cv2.IMREAD_UNCHANGED)
    assert drawn.shape == (SIDE, SIDE, 4) and drawn[0, 0, 3] == 0 and drawn[0, -1, 3] == round(0.72 * 255)


def test_where_heat_is_strongest_is_said_in_words():
    heat = np.zeros((9, 9), np.uint8)
    assert strongest_place(heat) is None
    for (row, column), words in {
        (0, 0): "upper left",
        (4, 8): "right",
        (8, 4): "lower middle",
        (4, 4): "middle",
    }.items():
        one = heat.copy()
        one[row, column] = 9
        assert strongest_place(one) == words
