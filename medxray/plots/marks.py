"""Operating points: the chosen threshold and 0.5 as marks on a curve."""

from dataclasses import dataclass

import numpy as np

from medxray.plots import style


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


def operating_points(report, x_figure, y_figure, *, mirrored):
    """The chosen threshold and 0.5 as list of Mark, where both figures are defined.

    Args:
        report: JSON object of a split.
        x_figure: key of the figure that gives the horizontal position.
        y_figure: key of the figure that gives the vertical position.
        mirrored: True turns x into 1 - x.
    """
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


def draw_marks(axes, marks):
    """Draw marks with their intervals: the threshold in use filled, the other one hollow."""
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
