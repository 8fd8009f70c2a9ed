"""All plots of a split: written, or skipped with a reason."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from medxray.plots.run_plots import PLOTS, draw_evaluation


def thumbnail(row):
    return np.arange(400, dtype=np.uint8).reshape(20, 20)


def test_every_plot_of_a_split_is_written_and_shows_something(evaluated, tmp_path):
    predictions, decision, report = evaluated()
    drawn = draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert [path.name for path in drawn.written] == [f"test_{name}.png" for name in PLOTS]
    assert drawn.skipped == {} and sorted(tmp_path.iterdir()) == sorted(drawn.written)
    for path in drawn.written:
        pixels = imread(path)
        assert pixels.shape[0] > 300 and pixels.std() > 0.05, path


def test_three_classes_have_all_plots_but_the_decision_curve(evaluated, tmp_path):
    predictions, decision, report = evaluated(classes=("NORMAL", "BACTERIAL", "VIRAL"))
    drawn = draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert drawn.skipped == {"decision_curve": "it needs two classes"}
    assert len(drawn.written) == len(PLOTS) - 1


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_alone_skips_what_needs_both(evaluated, tmp_path, only):
    predictions, decision, report = evaluated(n=30, y_true=[only] * 30)
    drawn = draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert {name for name, reason in drawn.skipped.items() if reason == "all images are of one class"} == {
        "roc",
        "precision_recall",
        "decision_curve",
    }
    assert {"confusion", "reliability", "score_histogram", "gallery"}.isdisjoint(drawn.skipped)


def test_an_empty_split_draws_nothing(evaluated, tmp_path):
    predictions, decision, report = evaluated(n=0)
    drawn = draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert drawn.written == [] and set(drawn.skipped.values()) == {"the split has no images"}


def test_without_images_there_is_no_gallery_and_without_errors_no_gallery_of_them(evaluated, tmp_path):
    predictions, decision, report = evaluated(skill=40.0)
    assert draw_evaluation(report, predictions, decision, tmp_path).skipped == {
        "gallery": "no images were given",
        "errors": "no images were given",
    }
    with_images = draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert with_images.skipped == {"errors": "there are no errors"}


def test_hostile_names_of_classes_and_splits_are_drawn_and_stay_in_the_folder(evaluated, tmp_path):
    predictions, decision, report = evaluated(n=30, classes=("$\\frac{", "a\n<b> $5 | $6"))
    moved = type(predictions)(**{**vars(predictions), "split": "../../e x"})
    out = tmp_path / "plots"
    drawn = draw_evaluation(report, moved, decision, out, thumbnails=thumbnail)
    assert len(drawn.written) == len(PLOTS)
    assert {path.parent for path in drawn.written} == {out}
    assert drawn.written[0].name == "e-x_roc.png"


def test_evaluation_and_plots_load_neither_tensorflow_nor_pyplot():
    code = (
        "import sys, medxray.plots.run_plots, medxray.metrics.report, medxray.metrics.compare,"
        "medxray.evaluation.model_card, medxray.metrics.predictions;"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib.pyplot') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
