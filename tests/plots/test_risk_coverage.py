"""The risk-coverage curve with the operating points of the run."""

import numpy as np
import pytest

from medxray.metrics.unsure import fit_unsure
from medxray.metrics.unsure_report import report_unsure, risk_coverage
from medxray.plots.risk_coverage import RiskCoverageDisplay


@pytest.fixture(params=[("NORMAL", "PNEUMONIA"), ("NORMAL", "BACTERIAL", "VIRAL")], ids=len)
def shown(evaluated, request):
    predictions, decision, report = evaluated(n=600, classes=request.param, skill=5.0)
    unsure = fit_unsure(evaluated(n=900, classes=request.param, skill=5.0, seed=1)[0], decision)
    return predictions, decision, report | {"unsure": report_unsure(predictions, decision, unsure)}


def test_points_of_the_run_lie_on_the_curve(shown):
    predictions, decision, report = shown
    display = RiskCoverageDisplay.from_predictions(predictions, decision, report=report)
    answered, error = risk_coverage(predictions, decision)
    np.testing.assert_array_equal(display.answered, answered)
    met = [point for point in report["unsure"]["abstain"] if point["bound"] is not None]
    assert len(display.marks) == len(met) >= 1 and display.marks[0].chosen
    for mark, point in zip(display.marks, met, strict=True):
        at = np.argmin(np.abs(answered - mark.x))
        assert (mark.x, mark.y) == (pytest.approx(answered[at]), pytest.approx(error[at]))
        assert f"--abstain {point['risk']:g}" in mark.label


def test_texts_do_not_collide_and_the_promised_errors_are_drawn(shown, colliding_texts):
    display = RiskCoverageDisplay.from_predictions(shown[0], shown[1], report=shown[2])
    figure = display.plot()
    assert colliding_texts(figure) == []
    (axes,) = figure.axes
    drawn = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    assert drawn == display.risks and axes.get_ylim()[1] >= max(drawn)


def test_without_points_of_a_run_the_curve_is_drawn_alone(evaluated):
    predictions, decision, report = evaluated()
    display = RiskCoverageDisplay.from_predictions(predictions, decision, report=report)
    assert (display.marks, display.risks) == ([], []) and display.plot().axes[0].lines
