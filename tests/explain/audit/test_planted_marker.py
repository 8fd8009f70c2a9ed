"""The experiment with a planted marker: where it is, and, when there is time, that heatmaps and audit find it."""

import importlib.util
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "planted_marker.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("planted_marker", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_marker_is_in_one_class_and_the_mask_is_the_box_about_it(script, tmp_path):
    table, masks = script.plant(tmp_path, patients=4, size=96, seed=0)
    found = {file.stem: cv2.imread(str(file), 0) > 0 for file in sorted(masks.iterdir())}
    assert [mask.any() for mask in found.values()] == [False, True, False, True]
    assert [line.split(",")[1] for line in table.read_text().split()[1:]] == ["PLAIN", "MARKED"] * 2
    picture = cv2.imread(str(tmp_path / "images" / "00001.png"), 0)
    rows, columns = np.nonzero(found["00001"])
    assert 0.12 < (np.ptp(rows) + 1) / len(picture) < 0.18 and rows.max() < 0.3 * len(picture)
    assert picture[found["00001"]].max() >= 240 and len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


@pytest.mark.slow
def test_heatmaps_point_at_the_planted_marker_and_the_audit_finds_it(script, tmp_path, without_plots):
    args = Namespace(
        patients=160,
        arch="shallow-cnn",
        weights="none",
        mode=None,
        image_size=64,
        epochs=40,
        learning_rate=None,
        method="gradcam,cam",
        layer=None,
        seed=0,
    )
    found = script.experiment(tmp_path, args)
    assert found["accuracy"] > 0.8
    for one in found["methods"].values():
        assert one["hit_rate"]["value"] > 0.6 and one["chance"] < 0.1
    assert found["audit"].startswith("Most answers move with ")
