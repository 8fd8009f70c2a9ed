"""Figures of several runs side by side, as bars with intervals."""

import numpy as np

from medxray.plots import style

_BAR = 0.36  # inches for each run


class ComparisonDisplay:
    """One panel for each figure, one bar for each run, clean and shifted where both are known."""

    def __init__(self, names, panels, *, report):
        """Store the names of the runs, the panels, and the report that says what they are of.

        Args:
            names: of the runs, list of str.
            panels: dict title -> list with, for each run, a figure (dict of value and ci95) or None.
            report: dict with split, n and n_patients.
        """
        self.names, self.panels, self.report = names, panels, report

    def plot(self):
        """Draw and return the figure."""
        count = len(self.panels)
        columns = min(count, 4)
        rows = -(-count // columns)
        figure = style.new_figure(2.4 + 2.3 * columns, 0.9 + rows * (0.8 + _BAR * len(self.names)))
        grid = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
        for axes, (title, figures) in zip(grid, self.panels.items(), strict=False):
            self._draw(axes, figures)
            axes.set_title(title, fontsize=10)
        for axes in grid[count:]:
            axes.set_axis_off()
        style.title(figure, "Runs side by side, 95 % intervals by patient", self.report)
        return figure

    def _draw(self, axes, figures):
        places = np.arange(len(self.names))[::-1]
        for place, (number, found) in zip(places, enumerate(figures), strict=True):
            value = None if found is None else found["value"]
            if value is None:
                axes.text(0.02, place, "no figure", va="center", fontsize=8)
                continue
            axes.barh(place, value, height=0.6, color=style.class_colour(number), alpha=0.55)
            axes.text(0.02, place, f"{value:.3f}", va="center", fontsize=8, color=style.BLACK)
            if found.get("ci95"):
                axes.plot(found["ci95"], [place, place], color=style.BLACK, linewidth=1.4, marker="|", markersize=7)
        axes.set_yticks(places, [style.words(name) for name in self.names], fontsize=9)
        axes.set_xlim(0, 1.01)
        style.tidy(axes, grid="x")
