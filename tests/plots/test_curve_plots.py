"""ROC and precision-recall plots."""

import pytest

from medxray.plots.curves import PrecisionRecallDisplay, RocDisplay, drawable_classes


@pytest.mark.parametrize("display", [RocDisplay, PrecisionRecallDisplay])
def test_legend_has_the_figure_with_its_interval_and_both_thresholds(evaluated, display):
    predictions, decision, report = evaluated()
    figure = display.from_predictions(predictions, decision, report=report).plot()
    legend = " ".join(text.get_text() for text in figure.axes[0].get_legend().get_texts())
    name, words = ("auroc", "AUROC") if display is RocDisplay else ("average_precision", "average precision")
    low, high = report[name]["ci95"]
    assert f"{words} (95 % CI) {report[name]['value']:.3f} [{low:.3f}, {high:.3f}]" in legend
    assert "threshold 0.3 (youden)" in legend and "threshold 0.5:" in legend
    assert "120 images, 60 patients" in figure._suptitle.get_text()


def test_operating_point_lies_on_the_roc_curve(evaluated):
    predictions, decision, report = evaluated()
    display = RocDisplay.from_predictions(predictions, decision, report=report)
    chosen = next(mark for mark in display.marks if mark.chosen)
    (tn, fp), (fn, tp) = report["confusion_matrix"]
    assert (chosen.x, chosen.y) == pytest.approx((fp / (fp + tn), tp / (tp + fn)))
    curve = display.curves[0]
    assert any(abs(x - chosen.x) < 1e-9 and abs(y - chosen.y) < 1e-9 for x, y in zip(curve.x, curve.y, strict=True))
    assert chosen.x_interval[0] < chosen.x < chosen.x_interval[1]


def test_a_threshold_of_one_half_is_marked_once(evaluated):
    predictions, decision, report = evaluated(threshold=0.5)
    assert len(RocDisplay.from_predictions(predictions, decision, report=report).marks) == 1


def test_three_classes_have_a_curve_each_and_no_mark(evaluated):
    predictions, decision, report = evaluated(classes=("NORMAL", "BACTERIAL", "VIRAL"))
    display = RocDisplay.from_predictions(predictions, decision, report=report)
    assert [curve.k for curve in display.curves] == [0, 1, 2] and display.marks == []
    assert all(name in curve.label for name, curve in zip(predictions.classes, display.curves, strict=True))


def test_only_classes_with_and_without_images_can_be_drawn(evaluated):
    assert drawable_classes(evaluated()[0]) == [1]
    assert drawable_classes(evaluated(y_true=[1] * 120)[0]) == []
    assert drawable_classes(evaluated(classes=("a", "b", "c"), y_true=[0, 1] * 60)[0]) == [0, 1]


@pytest.mark.parametrize("skill", [0.2, 4.0])
@pytest.mark.parametrize("count", [2, 3, 8])
@pytest.mark.parametrize("display", [RocDisplay, PrecisionRecallDisplay])
def test_texts_do_not_collide(evaluated, colliding_texts, display, count, skill):
    classes = tuple(f"a rather long name of a class, {index}" for index in range(count))
    predictions, decision, report = evaluated(classes=classes, skill=skill)
    assert colliding_texts(display.from_predictions(predictions, decision, report=report).plot()) == []


def test_a_good_model_gets_a_magnified_corner(evaluated):
    for skill, insets in ((4.0, 1), (0.2, 0)):
        predictions, decision, report = evaluated(skill=skill)
        figure = RocDisplay.from_predictions(predictions, decision, report=report).plot()
        assert len(figure.axes[0].child_axes) == insets
