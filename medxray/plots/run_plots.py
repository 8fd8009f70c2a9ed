"""All pictures of a run, written as PNG files."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from medxray.plots import style
from medxray.plots.confusion import ConfusionDisplay
from medxray.plots.curves import PrecisionRecallDisplay, RocDisplay, drawable_classes
from medxray.plots.gallery import GalleryDisplay
from medxray.plots.history import HistoryDisplay
from medxray.plots.probabilities import DecisionCurveDisplay, ReliabilityDisplay, ScoreHistogramDisplay
from medxray.plots.risk_coverage import RiskCoverageDisplay
from medxray.system import progress

log = logging.getLogger(__name__)

PLOTS = (
    "roc",
    "precision_recall",
    "confusion",
    "confusion_normalised",
    "reliability",
    "score_histogram",
    "decision_curve",
    "risk_coverage",
    "gallery",
    "errors",
)


def draw_evaluation(report, predictions, decision, out_dir, *, thumbnails=None):
    """Draw everything about one split. A plot that the data cannot give is left out; the log says why.

    Args:
        report: what `metrics.report.evaluate_split` returned for the split.
        predictions: `Predictions` of the split.
        decision: `Decision` the report was made with.
        out_dir: folder for `<split>_<plot>.png`.
        thumbnails: function of a row number that returns the image as a uint8 array (h, w), for gallery and errors.

    Raises:
        StorageError: a file cannot be written.
    """
    obstacles = plot_obstacles(report, predictions, thumbnails=thumbnails)
    stem = style.file_stem(predictions.split)
    for name in progress.each(PLOTS, len(PLOTS), f"Plots of {predictions.split}"):
        if name in obstacles:
            log.info("Plot %s of %s is not drawn: %s.", name, predictions.split, obstacles[name])
            continue
        figure = display_of(name, predictions, decision, report, thumbnails=thumbnails).plot()
        style.save(figure, Path(out_dir) / f"{stem}_{name}.png")


def draw_history(table, path):
    """Draw the training history; without epochs there is no picture, and the log says so.

    Args:
        table: DataFrame of history.csv.
        path: the PNG file to write.

    Raises:
        StorageError: the file cannot be written.
    """
    if not len(table):
        log.info("The training history is not drawn: it has no epochs.")
        return
    style.save(HistoryDisplay.from_table(pd.DataFrame(table)).plot(), Path(path))


def display_of(name, predictions, decision, report, *, thumbnails=None, bands=False):
    """The display of one of `PLOTS` that `plot_obstacles` does not name.

    Args:
        name: of the plot.
        predictions: as for `draw_evaluation`.
        decision: as for `draw_evaluation`.
        report: as for `draw_evaluation`.
        thumbnails: as for `draw_evaluation`.
        bands: draw bands around the curves, which takes 2,000 resamples of patients.
    """
    given = {"predictions": predictions, "decision": decision, "report": report}
    if name.startswith("confusion"):
        return ConfusionDisplay.from_report(report, normalised=name == "confusion_normalised")
    if name == "gallery":
        return GalleryDisplay.sample(**given, thumbnails=thumbnails)
    if name == "errors":
        return GalleryDisplay.errors(**given, thumbnails=thumbnails)
    curves = {"roc": RocDisplay, "precision_recall": PrecisionRecallDisplay}
    if name in curves:
        return curves[name].from_predictions(**given, bands=bands)
    displays = {
        "reliability": ReliabilityDisplay,
        "score_histogram": ScoreHistogramDisplay,
        "decision_curve": DecisionCurveDisplay,
        "risk_coverage": RiskCoverageDisplay,
    }
    return displays[name].from_predictions(**given)


def plot_obstacles(report, predictions, *, thumbnails=None):
    """Why plots cannot be drawn; arguments as for `draw_evaluation`.

    Returns:
        dict name of the plot -> reason; empty where all of `PLOTS` can be drawn.
    """
    if not len(predictions):
        return dict.fromkeys(PLOTS, "the split has no images")
    found = {}
    if not drawable_classes(predictions):
        found |= dict.fromkeys(("roc", "precision_recall"), "all images are of one class")
    if not predictions.is_binary:
        found["decision_curve"] = "it needs two classes"
    elif len(np.unique(predictions.y_true)) < 2:
        found["decision_curve"] = "all images are of one class"
    if thumbnails is None:
        found |= dict.fromkeys(("gallery", "errors"), "no images were given")
    elif not any(report["errors"].values()):
        found["errors"] = "there are no errors"
    return found
