"""All plots of a split: written, or skipped with a reason."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from medxray.plots.run_plots import PLOTS, draw_evaluation, plot_obstacles


def thumbnail(row):
    return np.arange(400, dtype=np.uint8).reshape(20, 20)


def test_every_plot_of_a_split_is_written_and_shows_something(evaluated, tmp_path):
    predictions, decision, report = evaluated()
    draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert plot_obstacles(report, predictions, thumbnails=thumbnail) == {}
    assert {path.name for path in tmp_path.iterdir()} == {f"test_{name}.png" for name in PLOTS}
    for path in tmp_path.iterdir():
        pixels = imread(path)
        assert pixels.shape[0] > 300 and pixels.std() > 0.05, path


def test_three_classes_have_all_plots_but_the_decision_curve_and_the_log_says_why(evaluated, tmp_path, caplog):
    predictions, decision, report = evaluated(classes=("NORMAL", "BACTERIAL", "VIRAL"))
    with caplog.at_level("INFO", logger="medxray"):
        draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    assert caplog.messages == ["Plot decision_curve of test is not drawn: it needs two classes."]
    assert {path.name for path in tmp_path.iterdir()} == {f"test_{name}.png" for name in PLOTS} - {
        "test_decision_curve.png"
    }


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_alone_skips_what_needs_both(evaluated, tmp_path, only):
    predictions, decision, report = evaluated(n=30, y_true=[only] * 30)
    draw_evaluation(report, predictions, decision, tmp_path, thumbnails=thumbnail)
    obstacles = plot_obstacles(report, predictions, thumbnails=thumbnail)
    missing = {name for name, reason in obstacles.items() if reason == "all images are of one class"}
    assert missing == {"roc", "precision_recall", "decision_curve"}
    assert {"confusion", "reliability", "score_histogram", "gallery"}.isdisjoint(obstacles)
    assert {path.name for path in tmp_path.iterdir()} == {f"test_{name}.png" for name in PLOTS if name not in obstacles}


def test_an_empty_split_draws_nothing(evaluated, tmp_path):
    predictions, decision, report = evaluated(n=0)
    draw_evaluation(report, predictions, decision, tmp_path / "plots", thumbnails=thumbnail)
    assert not (tmp_path / "plots").exists()
    assert plot_obstacles(report, predictions) == dict.fromkeys(PLOTS, "the split has no images")


def test_without_images_there_is_no_gallery_and_without_errors_no_gallery_of_them(evaluated, tmp_path):
    predictions, decision, report = evaluated(skill=40.0)
    draw_evaluation(report, predictions, decision, tmp_path)
    assert plot_obstacles(report, predictions) == dict.fromkeys(("gallery", "errors"), "no images were given")
    assert not [path for path in tmp_path.iterdir() if path.stem in ("test_gallery", "test_errors")]
    assert plot_obstacles(report, predictions, thumbnails=thumbnail) == {"errors": "there are no errors"}


def test_hostile_names_of_classes_and_splits_are_drawn_and_stay_in_the_folder(evaluated, tmp_path):
    predictions, decision, report = evaluated(n=30, classes=("$\\frac{", "a\n<b> $5 | $6"))
    moved = type(predictions)(**{**vars(predictions), "split": "../../e x"})
    out = tmp_path / "plots"
    draw_evaluation(report, moved, decision, out, thumbnails=thumbnail)
    assert {path.name for path in out.iterdir()} == {f"e-x_{name}.png" for name in PLOTS}
    assert list(tmp_path.iterdir()) == [out]


def test_evaluation_and_plots_load_neither_tensorflow_nor_pyplot():
    code = (
        "import sys, medxray.plots.run_plots, medxray.metrics.report, medxray.metrics.compare,"
        "medxray.evaluation.model_card, medxray.metrics.predictions;"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib.pyplot') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
