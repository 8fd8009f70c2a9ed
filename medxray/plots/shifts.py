"""Figures of shifted views as a table in colours: families in rows, severities in columns."""

from pathlib import Path

import numpy as np

from medxray.plots import style

_PANELS = (("auroc", "AUROC"), ("sensitivity", "sensitivity"), ("specificity", "specificity"), ("ece", "ECE"))
_LOWEST = 0.5  # of the scale of figures of which 1 is best
_WORST_ECE = 0.3
_DARK = 0.7  # of the scale, from which text is white


class ShiftsDisplay:
    """AUROC, sensitivity, specificity and ECE of each family at each severity, and of the unchanged images."""

    def __init__(self, families, clean, *, report):
        """Store dict family -> severity -> figures, the figures of the unchanged images, and the report."""
        self.families, self.clean, self.report = families, clean, report
        self.severities = list(dict.fromkeys(severity for part in families.values() for severity in part))

    @classmethod
    def from_report(cls, report):
        """Take the shifts of an evaluation report."""
        return cls(report["shifts"]["families"], report["shifts"]["clean"], report=report)

    def values(self, figure):
        """A figure, float64 (1 + families, severities): first that of the unchanged images; nan where undefined."""
        rows = [[self.clean] * len(self.severities)]
        rows += [[part.get(severity, {}) for severity in self.severities] for part in self.families.values()]
        return np.array([[_number(entry.get(figure)) for entry in row] for row in rows])

    def plot(self):
        """Draw and return the figure."""
        rows = 1 + len(self.families)
        figure = style.new_figure(3.2 + 1.9 * len(_PANELS), 1.6 + 0.27 * rows)
        panels = figure.subplots(1, len(_PANELS), sharey=True)
        for axes, (name, words) in zip(panels, _PANELS, strict=True):
            self._draw(axes, name)
            axes.set_title(words, fontsize=10)
            axes.set_xticks(range(len(self.severities)), self.severities)
            axes.set_xlabel("severity")
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
        panels[0].set_yticks(range(rows), ["unchanged", *self.families])
        style.title(figure, f"Shifted views\n{style.decided_by(self.report)}", self.report)
        return figure

    def _draw(self, axes, name):
        values = self.values(name)
        badness = values / _WORST_ECE if name == "ece" else (1 - values) / (1 - _LOWEST)
        axes.imshow(np.clip(badness, 0, 1), cmap="Oranges", vmin=0, vmax=1.2, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{value:.3f}"
            colour = "white" if badness[row, column] > _DARK else style.BLACK
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)


def draw_shifts(report, folder):
    """Draw the shifts of a report as `<split>_shifts.png` in a folder and return the path.

    Raises:
        StorageError: the file cannot be written.
    """
    name = f"{style.file_stem(report['split'])}_shifts.png"
    return style.save(ShiftsDisplay.from_report(report).plot(), Path(folder) / name)


def _number(value):
    return np.nan if value is None else float(value)
