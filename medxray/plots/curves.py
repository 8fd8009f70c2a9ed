"""ROC and precision-recall curves with the operating point."""

from dataclasses import dataclass

import numpy as np
from matplotlib.patches import Rectangle

from medxray.evaluate.curves import precision_recall_points, roc_points
from medxray.evaluate.statistics import class_scores
from medxray.plots import style

_CROWDED_FROM = 0.9
_LEGEND_INSIDE = 3


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a plot.

    Attributes:
        x: float array.
        y: float array.
        label: text for the legend.
        k: index of the class, which fixes colour and line style.
    """

    x: np.ndarray
    y: np.ndarray
    label: str
    k: int


@dataclass(frozen=True)
class Mark:
    """An operating point on a curve.

    Attributes:
        x: position, 0-1.
        y: position, 0-1.
        x_interval: (low, high) or None.
        y_interval: (low, high) or None.
        label: text for the legend.
        chosen: True for the threshold in use, False for one shown for comparison.
    """

    x: float
    y: float
    x_interval: tuple[float, float] | None
    y_interval: tuple[float, float] | None
    label: str
    chosen: bool


def drawable_classes(predictions):
    """Indices of the classes that a curve can be drawn for: the positive one, or each that some but not all are of."""
    counts = np.bincount(predictions.y_true, minlength=len(predictions.classes))
    candidates = [1] if predictions.is_binary else range(len(predictions.classes))
    return [k for k in candidates if 0 < counts[k] < len(predictions)]


def _class_label(report, name, figure, title):
    prefix = "" if report["positive"] else f"{style.words(name)}: "
    return f"{prefix}{title} {style.with_interval(report['per_class'][name][figure])}"


def _marks(report, x_figure, y_figure, *, mirrored):
    """The chosen threshold and 0.5, where both figures are defined; `mirrored` turns x into 1 - x."""
    if report["threshold"] is None:
        return []
    sources = [(report, report["threshold"]["value"], True)]
    if report["threshold"]["value"] != 0.5:
        sources.append((report["at_threshold_0.5"], 0.5, False))
    marks = []
    for figures, threshold, chosen in sources:
        x, y = figures[x_figure], figures[y_figure]
        if x["value"] is None or y["value"] is None:
            continue
        rule = f" ({style.words(report['threshold']['rule'])})" if chosen and threshold != 0.5 else ""
        label = f"threshold {threshold:.3g}{rule}:\n  {_words_of(figures, x_figure)}, {_words_of(figures, y_figure)}"
        x_value, x_interval = x["value"], x["ci95"]
        if mirrored:
            x_value, x_interval = 1 - x_value, (1 - x_interval[1], 1 - x_interval[0])
        marks.append(Mark(x_value, y["value"], x_interval, y["ci95"], label, chosen))
    return marks


def _words_of(figures, name):
    return f"{name} {figures[name]['value']:.3f}"


def _draw_marks(axes, marks):
    for mark in marks:
        face = style.BLACK if mark.chosen else "white"
        axes.errorbar(
            mark.x,
            mark.y,
            xerr=_reach(mark.x, mark.x_interval),
            yerr=_reach(mark.y, mark.y_interval),
            fmt="o" if mark.chosen else "s",
            markersize=7,
            markerfacecolor=face,
            markeredgecolor=style.BLACK,
            ecolor=style.BLACK,
            elinewidth=1,
            capsize=3,
            zorder=5,
            label=mark.label,
        )


def _reach(value, interval):
    return None if interval is None else np.maximum([[value - interval[0]], [interval[1] - value]], 0.0)


def _unit_square(axes, *, x, y):
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y, aspect="equal")
    style.tidy(axes)


def _new_square(display):
    """Figure, square axes and, for many curves, empty axes below that take the legend, else None."""
    if len(display.curves) <= _LEGEND_INSIDE:
        figure = style.new_figure(6.4, 6.6)
        return figure, figure.subplots(), None
    below = 0.23 * (len(display.curves) + 2)
    figure = style.new_figure(6.9, 6.6 + below)
    axes, legend_axes = figure.subplots(2, 1, height_ratios=(6.2, below))
    legend_axes.set_axis_off()
    return figure, axes, legend_axes


def _finish(panels, display, *, place, corner):
    """Legend, and a magnified corner where the curves run so close to it that it is worth one."""
    axes, legend_axes = panels
    if legend_axes is not None:
        handles, labels = axes.get_legend_handles_labels()
        style.legend(legend_axes, handles=handles, labels=labels, loc="upper center", borderaxespad=0)
        return
    style.legend(axes, loc=place)
    if (display.report[display.figure_of_merit]["value"] or 0.0) >= _CROWDED_FROM:
        display.draw(_corner(axes, **corner))


def _corner(axes, *, place, x, y):
    """Axes for a magnified view of one corner, on a white ground that keeps its numbers legible."""
    left, bottom, width, height = place
    ground = Rectangle((left - 0.09, bottom - 0.06), width + 0.11, height + 0.11, transform=axes.transAxes)
    ground.set(facecolor="white", edgecolor="none", zorder=3)
    axes.add_patch(ground)
    inset = axes.inset_axes(place, xlim=x, ylim=y, zorder=4)
    inset.set_title("magnified corner", fontsize=8, pad=3)
    inset.tick_params(labelsize=8)
    inset.grid(color="#E3E3E3", linewidth=0.6)
    return inset


class RocDisplay:
    """Receiver operating characteristic."""

    figure_of_merit = "auroc"

    def __init__(self, curves, marks, *, report):
        """Store the curves, the operating points and the report the title is taken from."""
        self.curves, self.marks, self.report = curves, marks, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report):
        """Compute one curve for the positive class, or one per class against the others."""
        scores = class_scores(predictions.probabilities(decision.temperature))
        curves = [
            Curve(
                *roc_points(predictions.y_true == k, scores[:, k]),
                _class_label(report, predictions.classes[k], "auroc", "AUROC"),
                k,
            )
            for k in drawable_classes(predictions)
        ]
        return cls(curves, _marks(report, "specificity", "sensitivity", mirrored=True), report=report)

    def plot(self):
        """Draw and return the figure."""
        figure, axes, legend_axes = _new_square(self)
        axes.plot([0, 1], [0, 1], color=style.GREY, linestyle=":", linewidth=1.2, label="chance")
        self.draw(axes)
        _unit_square(axes, x="false positive rate (1 − specificity)", y="sensitivity (true positive rate)")
        corner = {"place": (0.46, 0.42, 0.5, 0.4), "x": (-0.005, 0.25), "y": (0.75, 1.005)}
        _finish((axes, legend_axes), self, place="lower right", corner=corner)
        what = style.words(self.report["positive"] or "each class against the others")
        style.title(figure, f"ROC curve, {what}", self.report)
        return figure

    def draw(self, axes):
        """Draw curves and operating points into axes."""
        for curve in self.curves:
            line, colour = style.class_line(curve.k), style.class_colour(curve.k)
            axes.plot(curve.x, curve.y, line, color=colour, linewidth=2, label=curve.label)
        _draw_marks(axes, self.marks)


class PrecisionRecallDisplay:
    """Precision against recall, with the precision of calling everything positive."""

    figure_of_merit = "average_precision"

    def __init__(self, curves, marks, *, report):
        """Store the curves, the operating points and the report the title is taken from."""
        self.curves, self.marks, self.report = curves, marks, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report):
        """Compute one curve for the positive class, or one per class against the others."""
        scores = class_scores(predictions.probabilities(decision.temperature))
        curves = [
            Curve(
                *precision_recall_points(predictions.y_true == k, scores[:, k]),
                _class_label(report, predictions.classes[k], "average_precision", "average precision"),
                k,
            )
            for k in drawable_classes(predictions)
        ]
        return cls(curves, _marks(report, "sensitivity", "precision", mirrored=False), report=report)

    def plot(self):
        """Draw and return the figure."""
        figure, axes, legend_axes = _new_square(self)
        self.draw(axes)
        if not self.report["positive"]:
            axes.plot([], [], color=style.GREY, linestyle=":", label="all called this class (share of images)")
        _unit_square(axes, x="recall (sensitivity)", y="precision (PPV)")
        corner = {"place": (0.14, 0.4, 0.5, 0.4), "x": (0.75, 1.005), "y": (0.75, 1.005)}
        _finish((axes, legend_axes), self, place="lower left", corner=corner)
        what = style.words(self.report["positive"] or "each class against the others")
        style.title(figure, f"Precision-recall curve, {what}", self.report)
        return figure

    def draw(self, axes):
        """Draw curves and operating points into axes."""
        for curve in self.curves:
            line, colour = style.class_line(curve.k), style.class_colour(curve.k)
            axes.step(curve.x, curve.y, line, where="pre", color=colour, linewidth=2, label=curve.label)
            prevalence = self.report["prevalence"][self.report["classes"][curve.k]]
            label = f"all called positive: {prevalence:.3f}" if self.report["positive"] else None
            axes.axhline(prevalence, color=colour, linestyle=":", linewidth=1.2, label=label)
        _draw_marks(axes, self.marks)
