"""The operating point: a slider over every threshold, the confusion matrix and rates that it gives, net benefit."""

import numpy as np

from medxray.metrics.net_benefit import decision_curve
from medxray.report.elements import Markup, chart, element, joined, table
from medxray.report.section import MUTED, TEXT, Section, axis, chart_data, line, points

_FINITE = 700.0  # log-odds whose odds are a finite number in the script
_RATES = (
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("ppv", "PPV (precision)"),
    ("npv", "NPV"),
    ("accuracy", "accuracy"),
    ("balanced", "balanced accuracy"),
    ("benefit", "net benefit"),
    ("all", "net benefit of treating all"),
)
_CELLS = (("tn", "fp"), ("fn", "tp"))
_WORDS = {"tn": "true negatives", "fp": "false positives", "fn": "false negatives", "tp": "true positives"}
_READING = (
    "The slider goes through every threshold that tells two images of this split apart; arrow keys move it by one. A "
    "threshold that is chosen here is chosen on these images, so the figures that it shows are too good: choose on "
    "validation images. Intervals at the stored threshold stand under Figures. Net benefit counts true positives per "
    "image, less false positives weighed by the odds of the threshold (Vickers and Elkin 2006)."
)


def operating(contents):
    """With two classes the slider; with more the matrix of the labels, and its shares."""
    if not contents.predictions.is_binary:
        return Section("matrix", "Confusion matrix", joined(_matrix(contents, shares=False), _matrix(contents)))
    predictions, decision = contents.predictions, contents.decision
    log_odds = predictions.log_odds(decision.calibration)[:, 1]
    data = {"logOdds": log_odds.tolist(), "positive": predictions.is_positive.astype(int).tolist()}
    data |= {"stored": float(np.clip(decision.threshold.log_odds, -_FINITE, _FINITE))}
    both = len(np.unique(predictions.y_true)) > 1
    body = joined(
        _slider(predictions.positive),
        element("div", _live_matrix(contents), _live_rates(contents), class_="pair"),
        element("p", "", id="operating-status", role="status", aria_live="polite"),
        chart("benefit", "Decision curve: net benefit over the threshold; the table has it at the slider.")
        if both
        else None,
        element("p", _READING),
    )
    charts = {"benefit": _benefit(contents)} if both else {}
    return Section("operating", "Operating point", body, charts, data)


def _slider(positive):
    label = element("label", f"Call an image {positive} from this probability on: ", for_="threshold")
    shown = element("output", "", id="threshold-text", for_="threshold")
    slider = element("input", type="range", id="threshold", min="0", max="0", step="1", value="0")
    buttons = [
        element("button", "Stored threshold", type="button", id="to-stored"),
        element("button", "0.5", type="button", id="to-half"),
    ]
    return element("div", element("p", label, shown), slider, element("p", *buttons), class_="slider", id="slider")


def _live_matrix(contents):
    classes, matrix = contents.predictions.classes, contents.report["confusion_matrix"]
    rows = [["true class", *(f"called {name}" for name in classes)]]
    for name, keys, counts in zip(classes, _CELLS, matrix, strict=True):
        rows.append([name, *(_cell(key, count) for key, count in zip(keys, counts, strict=True))])
    return table(rows, caption="Confusion matrix, images")


def _cell(key, count):
    content = joined(element("strong", count, id=f"cell-{key}"), " ", element("small", _WORDS[key]))
    return element("td", content, class_=f"cell {'right' if key in ('tn', 'tp') else 'wrong'}")


def _live_rates(contents):
    report = contents.report
    stored = {"ppv": "precision", "balanced": "balanced_accuracy"}
    rows = [["figure", "at the slider"]]
    for key, words in _RATES:
        figure = report.get(stored.get(key, key)) or {"value": None}
        shown = "–" if figure["value"] is None else f"{figure['value']:.3f}"
        rows.append([words, element("td", shown, id=f"rate-{key}")])
    return table(rows, caption="Rates and net benefit")


def _benefit(contents):
    predictions = contents.predictions
    curve = decision_curve(predictions.is_positive, predictions.score(contents.decision.calibration))
    series = [
        line("treat everybody", curve.threshold, curve.treat_all, colour=1, dash="dash"),
        line("treat nobody", [0, 1], [0, 0], colour=MUTED, dash="dot"),
        line("treat those the model calls", curve.threshold, curve.model, colour=0),
        points("slider", [], [], colour=TEXT, live="benefit"),
    ]
    highest = max(float(curve.model.max()), float(curve.treat_all.max()), 0.01)
    shown = contents.decision.calibration.probability_of(predictions.positive)
    x = axis(f"threshold: {shown}", range=(0, 1))
    return chart_data(series, x=x, y=axis("net benefit", range=(-0.25 * highest, 1.15 * highest)))


def _matrix(contents, *, shares=True):
    """The matrix of labels as counts, or as shares of each true class."""
    classes, matrix = contents.predictions.classes, np.array(contents.report["confusion_matrix"], float)
    if shares:
        matrix = np.divide(
            matrix, matrix.sum(axis=1, keepdims=True), out=np.full(matrix.shape, np.nan), where=_any(matrix)
        )
    rows = [["true class", *(f"called {name}" for name in classes)]]
    for k, name in enumerate(classes):
        cells = [_static(value, shares, k == at) for at, value in enumerate(matrix[k])]
        rows.append([name, *cells])
    what = "shares of each true class" if shares else "images"
    return table(rows, caption=f"Confusion matrix, {what}, {contents.split} split")


def _any(matrix):
    return np.broadcast_to(matrix.sum(axis=1, keepdims=True) > 0, matrix.shape)


def _static(value, shares, right) -> Markup:
    text = "–" if np.isnan(value) else f"{value:.3f}" if shares else f"{value:.0f}"
    return element("td", text, class_=f"cell {'right' if right else 'wrong'}")
