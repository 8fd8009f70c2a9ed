"""Mean heatmaps of groups of images, and their differences."""

import math

import numpy as np

from medxray.metrics.intervals import estimate_text
from medxray.plots import style

_COLUMNS = 4
_WIDTH, _HEIGHT = 2.55, 3.1  # inches of a panel
_OPACITY = 0.55
_TOP = 0.98  # of the values: a few corners must not make the rest look alike
_LEAST = {"heat": 2.0, "difference": 0.5}  # of the colour scales: what is nearly uniform must not look strong


class CohortDisplay:
    """A panel for each group, with the mean heat over the mean image, and one for each difference."""

    def __init__(self, report, arrays):
        """Store a report of `medxray explain cohort`, dict, and its named arrays."""
        self.report, self.arrays = report, arrays

    def plot(self):
        """Draw and return the figure."""
        groups, differences = len(self.arrays["groups"]), len(self.arrays["difference_names"])
        rows = [math.ceil(count / _COLUMNS) for count in (groups, differences)]
        columns = min(_COLUMNS, max(groups, differences))
        figure = style.new_figure(columns * _WIDTH + 0.9, sum(rows) * _HEIGHT + 0.9)
        parts = figure.subfigures(2 if differences else 1, 1, height_ratios=[row for row in rows if row], squeeze=False)
        self._draw_groups(parts[0, 0], rows[0], columns)
        if differences:
            self._draw_differences(parts[1, 0], rows[1], columns)
        outline = "Outline: lungs of half of the images. Heat: 1 is a map that is the same everywhere."
        what = f"Mean heatmaps ({style.words(self.report['method'])}) for {style.words(self.report['explained'])}"
        style.title(figure, f"{what}\n{outline}", self.report)
        return figure

    def _draw_groups(self, part, rows, columns):
        heats = self.arrays["mean_heat"]
        top = max(_LEAST["heat"], _highest(heats))
        panels, drawn = part.subplots(rows, columns, squeeze=False), None
        for place, (axes, name) in enumerate(zip(panels.ravel(), self.arrays["groups"], strict=False)):
            found = self.report["groups"][str(name)]
            patients = style.counted(found["n_patients"], "patient")
            lines = [style.words(name, 24), f"{style.counted(found['n'], 'image')}, {patients}"]
            if np.isfinite(heats[place]).all():
                axes.imshow(self.arrays["mean_image"][place], cmap="gray", vmin=0, vmax=255)
                drawn = axes.imshow(heats[place], cmap="plasma", vmin=0, vmax=top, alpha=_OPACITY)
                _outline(axes, self.arrays["lungs"][place])
            else:
                _note(axes, "no mean map:\n" + (found["note"] or "no map has heat").replace(", ", ",\n"))
            _frame(axes, lines, _shares(found))
        _hide(panels.ravel()[len(heats) :])
        if drawn is not None:
            _bar(part, drawn, panels, "heat, relative to uniform", extend="max")

    def _draw_differences(self, part, rows, columns):
        values = self.arrays["differences"]
        top = max(_LEAST["difference"], _highest(np.abs(values)))
        panels, drawn = part.subplots(rows, columns, squeeze=False), None
        for axes, name, difference in zip(panels.ravel(), self.arrays["difference_names"], values, strict=False):
            if np.isfinite(difference).all():
                drawn = axes.imshow(difference, cmap="PuOr_r", vmin=-top, vmax=top)
                _outline(axes, self._lungs_of(str(name)))
            else:
                _note(axes, "no map has heat")
            _frame(axes, [style.words(name, 30)], _shares(self.report["differences"][str(name)], sign="+"))
        _hide(panels.ravel()[len(values) :])
        if drawn is not None:
            _bar(part, drawn, panels, "difference of the heat", extend="both")

    def _lungs_of(self, difference):
        names = self.arrays["groups"].tolist()
        first = next(at for at, name in enumerate(names) if difference.startswith(f"{name} minus "))
        return self.arrays["lungs"][first]


def _highest(values):
    known = values[np.isfinite(values)]
    return float(np.quantile(known, _TOP)) if len(known) else 0.0


def _outline(axes, lungs):
    if np.isfinite(lungs).all() and lungs.max() > 0.5:
        axes.contour(lungs, levels=[0.5], colors=[style.SKY], linewidths=1.2)


def _note(axes, text):
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_box_aspect(1)


def _frame(axes, lines, foot):
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(edgecolor="#CCCCCC")
    axes.set_title("\n".join(lines), fontsize=9)
    axes.set_xlabel(foot, fontsize=8)


def _shares(found, sign=""):
    """Two lines on the heat in the border and in the lungs; empty where there are none."""
    if "border" not in found:
        return ""
    return "\n".join(f"{place} {_estimate(found[place], sign)}" for place in ("border", "lungs"))


def _estimate(figure, sign):
    text = estimate_text(figure, digits=2, undefined="unknown")
    return f"{sign}{text}" if sign and figure["value"] is not None and figure["value"] >= 0 else text


def _hide(panels):
    for axes in panels:
        axes.set_axis_off()


def _bar(part, drawn, panels, words, *, extend):
    bar = part.colorbar(drawn, ax=panels, shrink=0.7, aspect=24, extend=extend)
    bar.set_label(words, fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
