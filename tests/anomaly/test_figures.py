"""Which images are drawn with their maps, and how."""

from pathlib import Path

import numpy as np
import pytest

from medxray.anomaly.figures import AnomalyMap, maps_figure, shown_rows


def test_images_of_low_middle_and_high_score_of_each_class_are_shown(detected):
    scores = np.concatenate([np.arange(10, -1, -1), [50, 70, 60]]).astype(float)  # row r < 11 has the score 10 - r
    assert shown_rows(detected(scores, [0] * 11 + [1] * 3)) == [9, 5, 1, 11, 13, 12]


def test_a_class_of_one_image_is_shown_once_and_an_empty_one_not(detected):
    assert shown_rows(detected([1.0], [0])) == [0]


@pytest.mark.parametrize("unit", ["Mahalanobis distance", "distance to the memory bank"])
def test_figure_names_unit_truth_label_and_score(unit):
    pixels, heat = np.zeros((8, 8, 1), np.uint8), np.ones((2, 2), np.float32)
    facts = {"score": 1.234, "probability": 0.7, "label": "ILL", "true_label": "NORMAL"}
    found = AnomalyMap(Path("a.png"), pixels, heat, None, **facts)
    figure = maps_figure([found], unit=unit, title="t")
    texts = [text.get_text() for axes in figure.axes for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    assert {"true NORMAL\ncalled ILL", "score 1.23", unit} <= set(texts)
