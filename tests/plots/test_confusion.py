"""Confusion matrices, raw and normalised."""

import numpy as np
import pytest

from medxray.plots.confusion import ConfusionDisplay


def cells(display):
    return [text.get_text() for text in display.plot().axes[0].texts]


def report_of(matrix, classes=("NORMAL", "PNEUMONIA")):
    threshold = {"value": 0.3, "rule": "youden", "chosen_on": "val"} if len(classes) == 2 else None
    return {
        "confusion_matrix": matrix,
        "classes": classes,
        "positive": classes[-1] if len(classes) == 2 else None,
        "threshold": threshold,
        "split": "test",
        "n": int(np.sum(matrix)),
        "n_patients": 3,
    }


def test_raw_cells_count_images_with_true_classes_in_rows():
    found = cells(ConfusionDisplay.from_report(report_of([[1186, 13], [9, 592]]), normalised=False))
    assert found == ["true negative\n1,186", "false positive\n13", "false negative\n9", "true positive\n592"]


def test_normalised_rows_add_up_to_one():
    display = ConfusionDisplay.from_report(report_of([[3, 1], [0, 5]]), normalised=True)
    np.testing.assert_allclose(display.shares, [[0.75, 0.25], [0, 1]])
    assert cells(display)[:2] == ["true negative\n75.0%\n3 of 4", "false positive\n25.0%\n1 of 4"]


def test_a_class_without_images_is_said_so():
    assert cells(ConfusionDisplay.from_report(report_of([[0, 0], [1, 5]]), normalised=True))[0].endswith("no images")


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("count", [2, 3, 6, 12])
def test_texts_do_not_collide(colliding_texts, count, normalised):
    classes = tuple(f"a rather long name, {index}" for index in range(count))
    matrix = np.random.default_rng(0).integers(0, 2000, (count, count)).tolist()
    display = ConfusionDisplay.from_report(report_of(matrix, classes), normalised=normalised)
    assert colliding_texts(display.plot()) == []


def test_there_is_room_for_a_threshold_that_shifted_views_took_part_in(colliding_texts):
    threshold = {"value": 0.65037, "rule": "sensitivity:0.95@90", "chosen_on": "val"}
    report = report_of([[9, 1], [2, 8]]) | {"threshold": threshold, "decided_on": "shifted"}
    figure = ConfusionDisplay.from_report(report, normalised=False).plot()
    assert "shifted views too" in figure.get_suptitle() and colliding_texts(figure) == []
