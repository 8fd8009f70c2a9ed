"""What the probabilities are worth: reliability, and how the scores are distributed."""

import numpy as np

from medxray.metrics.calibration import Calibration
from medxray.metrics.intervals import wilson
from medxray.metrics.reliability import confidence_and_outcome, reliability
from medxray.report.elements import chart, element, joined, table
from medxray.report.section import MUTED, Section, axis, bars, chart_data, line, points

_EDGES = np.linspace(0, 1, 26)
_UNIT = (-0.02, 1.02)
_ERRORS = (("ece", "ECE"), ("brier", "Brier score"), ("nll", "NLL (nats)"))


def calibration(contents):
    """Reliability before and after calibration, where there is one, with counts."""
    predictions, stored = contents.predictions, contents.report["calibration"]
    both = (Calibration(), contents.decision.calibration)
    pairs = [confidence_and_outcome(predictions.probabilities(one), predictions.y_true) for one in both]
    before, after = (reliability(*pair) for pair in pairs)
    low, high = wilson(after.observed * after.count, after.count)
    of = predictions.positive or "the predicted class"
    named = [f"bins of {after.count.min()} to {after.count.max()} images, 95 % intervals"]
    fitted = not contents.decision.calibration.is_identity
    series = [line("perfect calibration", [0, 1], [0, 1], colour=MUTED, dash="dot")]
    if fitted:
        series.append(line("not calibrated", before.confidence, before.observed, colour=1, dash="dash", marks=True))
    series += [
        line("calibrated" if fitted else "not calibrated", after.confidence, after.observed, colour=0),
        points(named[0], after.confidence, after.observed, colour=0, low=low, high=high),
    ]
    observed = f"observed share of {of}" if predictions.is_binary else "accuracy"
    shown = contents.decision.calibration.probability_of(of)
    x, y = axis(shown, range=_UNIT), axis(observed, range=_UNIT)
    charts = {"reliability": chart_data(series, x=x, y=y, square=True)}
    states = {"not calibrated": "before"} | ({"calibrated": "after"} if fitted else {})
    rows = [["figure", *states]]
    rows += [[words, *(_number(stored[f"{key}_{when}"]) for when in states.values())] for key, words in _ERRORS]
    summary = f"Reliability diagram: expected calibration error {_number(stored['ece_after'])}, {[*states][-1]}."
    words = "No calibration was fitted."
    if fitted:
        words = f"Temperature {stored['temperature']:.4g}, bias {', '.join(f'{one:.4g}' for one in stored['bias'])}."
    body = joined(
        chart("reliability", summary), table(rows, caption="Errors of the probabilities"), element("p", words)
    )
    return Section("calibration", "Calibration", body, charts)


def _number(value):
    return "not defined" if value is None else f"{value:.4f}"


def scores(contents):
    """A histogram of the probability of the positive class, or of the true class, for each true class."""
    predictions = contents.predictions
    probabilities = predictions.probabilities(contents.decision.calibration)
    series, highest, middles = [], 1, (_EDGES[:-1] + _EDGES[1:]) / 2
    for k, name in enumerate(predictions.classes):
        members = predictions.y_true == k
        count, _ = np.histogram(probabilities[members, 1 if predictions.is_binary else k], bins=_EDGES)
        words = f"true {name}: {members.sum()} images"
        if predictions.is_binary:
            series.append(bars(words, middles, count, colour=k, width=_EDGES[1]))
        else:  # bars would hide each other
            series.append(line(words, _EDGES, [0, *count], colour=k, step=True))
        highest = max(highest, int(count.max()))
    of = predictions.positive or "the true class"
    lines = []
    if contents.decision.threshold is not None:
        value = contents.decision.threshold.value
        lines = [{"x": value, "label": "stored", "live": False}, {"x": value, "label": "slider", "live": True}]
    shown = contents.decision.calibration.probability_of(of)
    x, y = axis(shown, range=(0, 1)), _counts(predictions, highest)
    charts = {"scores": chart_data(series, x=x, y=y, lines=lines)}
    summary = f"Histogram of the {shown}, in 25 bins, for each true class."
    return Section("scores", "Distribution of the scores", chart("scores", summary), charts)


def _counts(predictions, highest):
    """The axis of counts; few errors beside many right answers need a logarithmic one."""
    if not predictions.is_binary:
        return axis("images")
    return axis("images (log scale)", log=True, range=(-0.15, np.log10(highest) + 0.15))
