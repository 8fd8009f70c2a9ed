"""ROC and precision-recall curves with the operating point."""

from dataclasses import dataclass

import numpy as np
from matplotlib.patches import Rectangle

from medxray.metrics.bands import Band, curve_bands
from medxray.metrics.curves import precision_recall_points, roc_points
from medxray.metrics.intervals import estimate_text
from medxray.plots import style
from medxray.plots.marks import draw_marks, operating_points

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
        band: metrics.bands.Band around it, or None.
    """

    x: np.ndarray
    y: np.ndarray
    label: str
    k: int
    band: Band | None = None


def drawable_classes(predictions):
    """Indices of the classes that a curve can be drawn for: the positive one, or each that some but not all are of."""
    counts = np.bincount(predictions.y_true, minlength=len(predictions.classes))
    candidates = [1] if predictions.is_binary else range(len(predictions.classes))
    return [k for k in candidates if 0 < counts[k] < len(predictions)]


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


class _CurveDisplay:
    """What both plots share: a curve per class on the unit square, operating points, legend and magnified corner.

    A subclass gives: figure_of_merit (key in the report) and merit_words; which_band (its place in `curve_bands`);
    name, x_label, y_label; coordinates (keys of the figures on the axes) and mirrored (see `operating_points`);
    legend_place; corner (arguments of `_corner`); points, the function that computes a curve; draw(axes).
    """

    def __init__(self, curves, marks, *, report):
        """Store the curves, the operating points and the report the title is taken from."""
        self.curves, self.marks, self.report = curves, marks, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report, bands=False):
        """Compute one curve for the positive class, or one per class against the others, on demand with bands."""
        scores, curves = predictions.log_odds(decision.calibration), []
        for k in drawable_classes(predictions):
            positive, words = predictions.y_true == k, cls._label(report, predictions.classes[k])
            band = cls._band(predictions, positive, scores[:, k]) if bands else None
            curves.append(Curve(*cls.points(positive, scores[:, k]), words, k, band))
        return cls(curves, operating_points(report, *cls.coordinates, mirrored=cls.mirrored), report=report)

    @classmethod
    def _band(cls, predictions, positive, scores):
        found = curve_bands(positive, scores, predictions.patient_ids, predictions.y_true)
        return None if found is None else found[cls.which_band]

    def _draw_bands(self, axes, step=None):
        label = "95 % band, pointwise, by patient"
        for curve in self.curves:
            if curve.band is not None:
                band, colour = curve.band, style.class_colour(curve.k)
                look = {"color": colour, "alpha": 0.15, "linewidth": 0, "label": label}
                axes.fill_between(band.x, band.low, band.high, step=step, **look)
                label = None

    @classmethod
    def _label(cls, report, name):
        prefix = "" if report["positive"] else f"{style.words(name)}: "
        return f"{prefix}{cls.merit_words} (95 % CI) {estimate_text(report['per_class'][name][cls.figure_of_merit])}"

    def plot(self):
        """Draw and return the figure."""
        figure, axes, legend_axes = _new_square(self)
        self.draw(axes)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=self.x_label, ylabel=self.y_label, aspect="equal")
        style.tidy(axes)
        self._finish(axes, legend_axes)
        what = style.words(self.report["positive"] or "each class against the others")
        style.title(figure, f"{self.name}, {what}", self.report)
        return figure

    def _finish(self, axes, legend_axes):
        """Legend, and a magnified corner where the curves run so close to it that it is worth one."""
        if legend_axes is not None:
            handles, labels = axes.get_legend_handles_labels()
            style.legend(legend_axes, handles=handles, labels=labels, loc="upper center", borderaxespad=0)
            return
        style.legend(axes, loc=self.legend_place)
        if (self.report[self.figure_of_merit]["value"] or 0.0) >= _CROWDED_FROM:
            self.draw(_corner(axes, **self.corner))


class RocDisplay(_CurveDisplay):
    """Receiver operating characteristic."""

    figure_of_merit, merit_words, name = "auroc", "AUROC", "ROC curve"
    x_label, y_label = "false positive rate (1 − specificity)", "sensitivity (true positive rate)"
    coordinates, mirrored = ("specificity", "sensitivity"), True
    legend_place = "lower right"
    corner = {"place": (0.46, 0.42, 0.5, 0.4), "x": (-0.005, 0.25), "y": (0.75, 1.005)}
    which_band = 0
    points = staticmethod(roc_points)

    def draw(self, axes):
        """Draw chance, curves and operating points into axes."""
        axes.plot([0, 1], [0, 1], color=style.GREY, linestyle=":", linewidth=1.2, label="chance")
        self._draw_bands(axes)
        for curve in self.curves:
            line, colour = style.class_line(curve.k), style.class_colour(curve.k)
            axes.plot(curve.x, curve.y, line, color=colour, linewidth=2, label=curve.label)
        draw_marks(axes, self.marks)


class PrecisionRecallDisplay(_CurveDisplay):
    """Precision against recall, with the precision of calling everything positive."""

    figure_of_merit, merit_words, name = "average_precision", "average precision", "Precision-recall curve"
    x_label, y_label = "recall (sensitivity)", "precision (PPV)"
    coordinates, mirrored = ("sensitivity", "precision"), False
    legend_place = "lower left"
    corner = {"place": (0.14, 0.4, 0.5, 0.4), "x": (0.75, 1.005), "y": (0.75, 1.005)}
    which_band = 1
    points = staticmethod(precision_recall_points)

    def draw(self, axes):
        """Draw curves, the share of each class and operating points into axes."""
        self._draw_bands(axes, step="pre")
        for curve in self.curves:
            line, colour = style.class_line(curve.k), style.class_colour(curve.k)
            axes.step(curve.x, curve.y, line, where="pre", color=colour, linewidth=2, label=curve.label)
            prevalence = self.report["prevalence"][self.report["classes"][curve.k]]
            label = f"all called positive: {prevalence:.3f}" if self.report["positive"] else None
            axes.axhline(prevalence, color=colour, linestyle=":", linewidth=1.2, label=label)
        draw_marks(axes, self.marks)
        if not self.report["positive"]:
            axes.plot([], [], color=style.GREY, linestyle=":", label="all called this class (share of images)")
