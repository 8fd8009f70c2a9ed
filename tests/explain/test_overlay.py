import dataclasses
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from medxray.errors import StorageError
from medxray.explain.heatmaps import Heatmap
from medxray.explain.overlay import crop_to_image, draw_overlay, heat_colormap, write_overlay
from medxray.metrics.thresholds import OperatingPoint

GREY = np.full((100, 200, 1), 120, np.uint8)


def example(**changes):
    """A heatmap hot on the left half of a wide image that lies letterboxed in a 32 x 32 input."""
    heat = np.zeros((32, 32), np.float32)
    heat[:, :16] = 1.0
    fields = {
        "file": Path("x.png"),
        "target": "PNEUMONIA",
        "layer": "block5_conv3",
        "heatmap_layer": np.zeros((2, 2), np.float32),
        "heatmap": heat,
        "image": np.zeros((32, 32, 1), np.uint8),
        "box": (8, 0, 16, 32),
        "classes": ("NORMAL", "PNEUMONIA"),
        "probabilities": np.array([0.125, 0.875]),
        "calibrated": True,
        "label": "PNEUMONIA",
        "threshold": OperatingPoint(0.41, "youden", "val"),
        "true_label": "NORMAL",
    }
    return Heatmap(**(fields | changes))


def texts(figure):
    return figure.get_suptitle()


def test_caption_says_prediction_truth_calibrated_probability_and_threshold():
    caption = texts(draw_overlay(example(), GREY))
    assert caption.splitlines() == [
        "x.png",
        "predicted PNEUMONIA, true class NORMAL (wrong)",
        "P(PNEUMONIA) = 0.875 calibrated, threshold 0.410 (youden on val)",
    ]


def test_caption_says_where_shifted_views_took_part():
    assert texts(draw_overlay(example(decided_on="shifted"), GREY)).endswith("(youden on val, shifted views too)")


def test_caption_without_truth_and_threshold_lists_the_most_likely_classes():
    changes = {"classes": ("A", "B", "C"), "probabilities": np.array([0.2, 0.7, 0.1]), "label": "B", "target": "B"}
    caption = texts(draw_overlay(example(threshold=None, true_label=None, **changes), GREY))
    assert caption.splitlines()[1:] == ["predicted B", "calibrated: P(B) = 0.700, P(A) = 0.200, P(C) = 0.100"]


def test_fixed_threshold_and_temperature_are_not_called_chosen_or_calibrated():
    fixed = example(threshold=OperatingPoint(0.5, "0.5", "fixed"), calibrated=False)
    caption = texts(draw_overlay(fixed, GREY))
    assert caption.endswith("P(PNEUMONIA) = 0.875 not calibrated, threshold 0.500 (fixed)")


def test_heat_lies_on_the_image_where_the_map_is_hot(tmp_path):
    write_overlay(tmp_path / "o.png", example(), GREY)
    pixels = cv2.imread(str(tmp_path / "o.png")).astype(int)
    colored = np.ptp(pixels, axis=2) > 60
    rows = np.flatnonzero((np.abs(pixels - 120).max(axis=2) < 3).mean(axis=1) > 0.3)  # where the grey image is shown
    middle = colored[rows[len(rows) // 4] : rows[-len(rows) // 4]].mean(axis=0)
    hot = np.flatnonzero(middle > 0.95)
    width = pixels.shape[1]
    panel = (np.abs(pixels[rows[len(rows) // 2]] - 120).max(axis=1) < 3).nonzero()[0]
    assert panel.min() < 0.1 * width  # the left panel is the image without heat
    assert 0.4 * width < hot[0] < 0.55 * width  # the heat begins at the left edge of the right panel
    in_panels = hot[hot < panel.max()]
    assert abs(len(in_panels) - (panel.max() - hot[0]) / 2) < 0.05 * width  # and covers half of it


def test_opacity_grows_in_proportion_to_heat_and_lightness_never_falls():
    colors = heat_colormap()(np.linspace(0, 1, 256))
    np.testing.assert_allclose(np.diff(colors[:, 3]), colors[-1, 3] / 255, rtol=1e-6)
    assert colors[0, 3] == 0 and 0.5 < colors[-1, 3] < 1
    lightness = colors[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > -1e-3).all()


def test_crop_takes_the_content_box():
    heat = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(crop_to_image(heat, (1, 0, 2, 4)), heat[1:3])


def test_a_map_without_heat_says_so():
    figure = draw_overlay(example(heatmap=np.zeros((32, 32), np.float32)), GREY)
    notes = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert notes == ["no part stands out\nfor PNEUMONIA\nin this layer"]
    assert [text for axes in draw_overlay(example(), GREY).axes for text in axes.texts] == []


@pytest.mark.parametrize("name", ["$\\frac{1}$.png", "胸部.png", "a\nb\x1b[31m.png", "x" * 240 + ".png"])
def test_hostile_file_names_are_drawn_without_error_or_warning(name, tmp_path):
    heatmap = example(file=Path(name), target="$_", label="$_", classes=("NOR\nMAL", "$_"), true_label="NOR\nMAL")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_overlay(tmp_path / "o.png", heatmap, GREY)
    caption = texts(draw_overlay(heatmap, GREY))
    assert len(caption.splitlines()) == 3 and len(caption.splitlines()[0]) <= 105 and "\x1b" not in caption


@pytest.mark.parametrize("shape", [(30, 900, 3), (900, 30, 1), (1, 1, 1)])
def test_extreme_shapes_and_colour_are_drawn(shape, tmp_path):
    write_overlay(tmp_path / "o.png", example(), np.full(shape, 90, np.uint8))
    assert cv2.imread(str(tmp_path / "o.png")).std() > 0


def test_unwritable_folder_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Could not write"):
        write_overlay(tmp_path / "file" / "o.png", example(), GREY)


def test_probability_is_that_of_the_explained_class():
    assert example().probability == 0.875
    assert dataclasses.replace(example(), target="NORMAL").probability == 0.125
