"""What the probabilities are worth: reliability, score histograms, decision curve."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from medxray.metrics.calibration import Calibration
from medxray.metrics.intervals import wilson
from medxray.metrics.net_benefit import decision_curve
from medxray.metrics.reliability import confidence_and_outcome, reliability
from medxray.plots import style

_HISTOGRAM_BINS = np.linspace(0, 1, 26)


class ReliabilityDisplay:
    """Observed share against predicted probability, before and after calibration where there is one, with counts."""

    def __init__(self, before, after, confidence, *, report):
        """Store two `Reliability` tables, the calibrated probabilities (n,) and the report."""
        self.before, self.after, self.confidence, self.report = before, after, confidence, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report):
        """Bin the probability of the positive class, or the highest one with three or more classes."""
        pairs = [
            confidence_and_outcome(predictions.probabilities(calibration), predictions.y_true)
            for calibration in (Calibration(), decision.calibration)
        ]
        return cls(*(reliability(*pair) for pair in pairs), pairs[1][0], report=report)

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(6.4, 7.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
        self._draw_bins(upper)
        upper.set(ylabel=self._observed(), xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        style.legend(upper, loc="best", title=self._bins(), title_fontsize=9, alignment="left")
        lower.hist(self.confidence, bins=_HISTOGRAM_BINS, color=style.BLUE, edgecolor="white", linewidth=0.5)
        lower.set(xlabel=self._predicted(), ylabel="images")
        lower.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
        for axes in (upper, lower):
            style.tidy(axes)
        style.title(figure, "Reliability (bars: 95 % Wilson intervals)", self.report)
        return figure

    def _draw_bins(self, axes):
        errors, fitted = self.report["calibration"], not _calibration_of(self.report).is_identity
        axes.plot([0, 1], [0, 1], color=style.GREY, linestyle=":", linewidth=1.2, label="perfect calibration")
        if fitted:
            axes.plot(
                self.before.confidence,
                self.before.observed,
                "s--",
                color=style.ORANGE,
                markerfacecolor="white",
                label=f"not calibrated: ECE {errors['ece_before']:.3f}",
            )
        low, high = wilson(self.after.observed * self.after.count, self.after.count)
        axes.errorbar(
            self.after.confidence,
            self.after.observed,
            yerr=np.maximum([self.after.observed - low, high - self.after.observed], 0.0),
            fmt="o-",
            color=style.BLUE,
            capsize=3,
            elinewidth=1,
            label=f"{'calibrated' if fitted else 'not calibrated'}: ECE {errors['ece_after']:.3f}",
        )

    def _bins(self):
        count = self.after.count
        many = f"{count.min()}–{count.max()}" if count.min() != count.max() else f"{count.min()}"
        return f"{style.counted(len(count), 'bin')}, images in each: {many}"

    def _observed(self):
        return f"observed share of {style.words(self.report['positive'])}" if self.report["positive"] else "accuracy"

    def _predicted(self):
        return _probability_of(self.report, "the predicted class")


class ScoreHistogramDisplay:
    """Histograms of the calibrated probability, one row per true class."""

    def __init__(self, rows, *, report):
        """Store (title, probabilities (m,), colour index, texts left and right of the threshold) per row."""
        self.rows, self.report = rows, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report):
        """Probability of the positive class, or of the true class with three or more classes."""
        probabilities = predictions.probabilities(decision.calibration)
        rows = []
        for k, name in enumerate(predictions.classes):
            members = predictions.y_true == k
            shown = probabilities[members, 1 if predictions.is_binary else k]
            rows.append((f"true {style.words(name)}: {style.counted(int(members.sum()), 'image')}", shown, k))
        return cls(rows, report=report)

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(7.2, min(1.5 + 1.9 * len(self.rows), 16))
        panels = figure.subplots(len(self.rows), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, values, k) in zip(panels, self.rows, strict=True):
            axes.set_ylim(0.7, max(10.0, len(values)) * 3)
            axes.set(yscale="log", ylabel="images (log scale)", xlim=(0, 1))
            count, edges = np.histogram(values, bins=_HISTOGRAM_BINS)
            axes.bar(edges[:-1], count, np.diff(edges), align="edge", color=style.class_colour(k), edgecolor="white")
            axes.yaxis.set_major_formatter("{x:,.0f}")
            axes.set_title(name, fontsize=10, loc="left")
            style.tidy(axes, grid="y")
            self._draw_threshold(axes, values, k)
        panels[-1].set_xlabel(_probability_of(self.report, "the true class"))
        style.title(figure, "Distribution of the scores", self.report)
        return figure

    def _draw_threshold(self, axes, values, k):
        if self.report["threshold"] is None:
            return
        threshold = self.report["threshold"]["value"]
        axes.axvline(threshold, color=style.BLACK, linestyle="--", linewidth=1.2)
        called = int((values >= threshold).sum())
        right = ("false positives", "true positives")[k]
        left = ("true negatives", "false negatives")[k]
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
        texts = [(0.012, f"{len(values) - called:,} {left}", "left"), (0.988, f"{called:,} {right}", "right")]
        for x, text, side in texts:
            axes.text(x, 0.96, text, transform=axes.transAxes, ha=side, va="top", fontsize=9, bbox=box)
        if k == 0:
            axes.set_title(f"dashed line: threshold {threshold:.3g}", fontsize=10, loc="right")


class DecisionCurveDisplay:
    """Net benefit of acting on the model, on everybody and on nobody."""

    def __init__(self, curve, *, report):
        """Store a `DecisionCurve` and the report."""
        self.curve, self.report = curve, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report):
        """Compute the curve of the calibrated probability of the positive class."""
        return cls(decision_curve(predictions.is_positive, predictions.score(decision.calibration)), report=report)

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(7.2, 5.4)
        axes = figure.subplots()
        curve, threshold = self.curve, self.report["threshold"]["value"]
        axes.plot(curve.threshold, curve.treat_all, "--", color=style.ORANGE, linewidth=1.8, label="treat everybody")
        axes.axhline(0, color=style.GREY, linestyle=":", linewidth=1.5, label="treat nobody")
        axes.plot(curve.threshold, curve.model, color=style.BLUE, linewidth=2.2, label="treat those the model calls")
        axes.axvline(
            threshold, color=style.BLACK, linestyle="--", linewidth=1, label=f"threshold in use {threshold:.3g}"
        )
        highest = max(float(curve.model.max()), float(curve.treat_all.max()), 0.01)
        axes.set(xlim=(0, 1), ylim=(-0.25 * highest, 1.15 * highest))
        axes.set_xlabel(
            f"threshold probability: treat from this probability of {style.words(self.report['positive'])} on"
        )
        axes.set_ylabel("net benefit (true positives per image)")
        style.tidy(axes)
        style.legend(axes, loc="best")
        style.title(figure, "Decision curve", self.report)
        return figure


def _probability_of(report, otherwise):
    """What is shown: the probability of the positive class, or with three or more classes of `otherwise`."""
    positive = report["positive"]
    return _calibration_of(report).probability_of(style.words(positive) if positive else otherwise)


def _calibration_of(report):
    stored = report["calibration"]
    return Calibration(stored["temperature"], tuple(stored.get("bias", ())))
