"""ROC and precision-recall curves with bands, and the operating point that the slider moves."""

import numpy as np

from medxray.metrics.bands import curve_bands
from medxray.metrics.bootstrap import N_BOOT, resampling_obstacle
from medxray.metrics.curves import precision_recall_points, roc_points
from medxray.metrics.intervals import estimate_text
from medxray.report.elements import chart, element, joined
from medxray.report.section import MUTED, TEXT, Missing, Section, axis, band, chart_data, line, points

_UNIT = (-0.02, 1.02)


def curves(contents):
    """Both curves of the positive class, or of each class against the others."""
    predictions = contents.predictions
    counts = np.bincount(predictions.y_true, minlength=len(predictions.classes))
    wanted = [1] if predictions.is_binary else range(len(predictions.classes))
    drawn = [k for k in wanted if 0 < counts[k] < len(predictions)]
    if not drawn:
        return Missing("ROC and precision-recall curves", f"All images of the {contents.split} split are of one class.")
    scores = predictions.log_odds(contents.decision.calibration)
    roc, pr = [line("chance", [0, 1], [0, 1], colour=MUTED, dash="dot")], []
    for k in drawn:
        one_roc, one_pr = _of_class(contents, k, scores[:, k])
        roc, pr = roc + one_roc, pr + one_pr
    if predictions.is_binary:
        roc, pr = roc + _marks("roc", contents.report), pr + _marks("pr", contents.report)
    axes = {"x": axis("false positive rate (1 − specificity)", range=_UNIT), "y": axis("sensitivity", range=_UNIT)}
    charts = {"roc": chart_data(roc, **axes, square=True)}
    axes = {"x": axis("recall (sensitivity)", range=_UNIT), "y": axis("precision (PPV)", range=_UNIT)}
    charts["pr"] = chart_data(pr, **axes, square=True)
    body = joined(
        element("div", *(chart(key, _summary(contents, drawn, key)) for key in charts), class_="pair"),
        element("p", _bands_note(contents)),
    )
    return Section("curves", "ROC and precision-recall curves", body, charts)


def _of_class(contents, k, score):
    predictions = contents.predictions
    name, positive = predictions.classes[k], predictions.y_true == k
    entry, colour = contents.report["per_class"][name], 0 if predictions.is_binary else k
    bands = curve_bands(positive, score, predictions.patient_ids, predictions.y_true)
    of = "" if predictions.is_binary else f"{name}: "
    words = [f"{of}{what} {estimate_text(entry[key])}" for key, what in _MERITS.values()]
    roc = [line(words[0], *roc_points(positive, score), colour=colour)]
    pr = [line(words[1], *precision_recall_points(positive, score), colour=colour, step=True)]
    pr.append(line(f"{of}all called positive", [0, 1], [positive.mean()] * 2, colour=colour, dash="dot"))
    if bands is not None:
        beyond = f"{of}95 % band"
        roc.insert(0, band(beyond, bands[0].x, bands[0].low, bands[0].high, colour=colour))
        pr.insert(0, band(beyond, bands[1].x, bands[1].low, bands[1].high, colour=colour, step=True))
    return roc, pr


_MERITS = {"roc": ("auroc", "AUROC"), "pr": ("average_precision", "average precision")}


def _marks(key, report):
    """The stored threshold with its interval, and the point that the slider moves."""
    specificity, sensitivity, precision = (report[name] for name in ("specificity", "sensitivity", "precision"))
    x, y = (specificity, sensitivity) if key == "roc" else (sensitivity, precision)
    if x["value"] is None or y["value"] is None:
        return []
    at = 1 - x["value"] if key == "roc" else x["value"]
    low, high = y["ci95"] or (y["value"], y["value"])
    stored = points("stored threshold", [at], [y["value"]], colour=TEXT, symbol="diamond-open", low=[low], high=[high])
    return [stored, points("slider", [at], [y["value"]], colour=TEXT, live=key)]


def _summary(contents, drawn, key):
    figure, what = _MERITS[key]
    names = [contents.predictions.classes[k] for k in drawn]
    values = "; ".join(f"{name} {what} {estimate_text(contents.report['per_class'][name][figure])}" for name in names)
    return f"{'ROC' if key == 'roc' else 'Precision-recall'} curve: {values}"


def _bands_note(contents):
    predictions = contents.predictions
    obstacle = resampling_obstacle(predictions.patient_ids, predictions.y_true)
    if obstacle is not None:
        return f"No bands: {obstacle}."
    return f"Bands are pointwise 95 % intervals over {N_BOOT:,} resamples of patients; hovering shows the numbers."
