"""Confusion matrices, in images and in shares of each true class."""

import numpy as np

from medxray.plots import style

_NAMED_CELLS = (("true negative", "false positive"), ("false negative", "true positive"))


class ConfusionDisplay:
    """True classes in rows, predicted ones in columns."""

    def __init__(self, matrix, classes, *, normalised, report):
        """Store an int matrix (K, K), the class names, whether to show shares of rows, and the report."""
        self.matrix, self.classes = np.asarray(matrix), tuple(classes)
        self.normalised, self.report = normalised, report

    @classmethod
    def from_report(cls, report, *, normalised):
        """Take the matrix of an evaluation report."""
        return cls(report["confusion_matrix"], report["classes"], normalised=normalised, report=report)

    @property
    def shares(self):
        """Share of each true class per cell, float64 (K, K); rows without images are 0."""
        rows = self.matrix.sum(axis=1, keepdims=True)
        return np.divide(self.matrix, rows, out=np.zeros(self.matrix.shape), where=rows > 0)

    def plot(self):
        """Draw and return the figure."""
        k = len(self.classes)
        side = min(max(4.6, 2.2 + 1.25 * k), 14)
        figure = style.new_figure(side + 1.0, side)
        axes = figure.subplots()
        shown = self.shares if self.normalised else self.matrix
        top = 1.0 if self.normalised else max(1, int(self.matrix.max()))
        picture = axes.imshow(shown, cmap="Blues", vmin=0, vmax=top)
        for row in range(k):
            for column in range(k):
                colour = "white" if shown[row, column] > 0.55 * top else style.BLACK
                axes.text(
                    column, row, self._cell(row, column), ha="center", va="center", color=colour, fontsize=self._size()
                )
        self._label_axes(axes)
        bar = figure.colorbar(picture, ax=axes, shrink=0.8)
        bar.set_label("share of the true class" if self.normalised else "images")
        bar.outline.set_visible(False)
        what = "Confusion matrix, shares of each true class" if self.normalised else "Confusion matrix, images"
        style.title(figure, f"{what}\n{style.decided_by(self.report)}", self.report)
        return figure

    def _size(self):
        return 12 if len(self.classes) <= 4 else max(6, 14 - len(self.classes) // 2)

    def _cell(self, row, column):
        count, total = self.matrix[row, column], self.matrix[row].sum()
        named = f"{_NAMED_CELLS[row][column]}\n" if self.report["positive"] else ""
        if not self.normalised:
            return f"{named}{count:,}"
        return f"{named}{self.shares[row, column]:.1%}\n{count:,} of {total:,}" if total else f"{named}no images"

    def _label_axes(self, axes):
        ticks = range(len(self.classes))
        longest = 18 if len(self.classes) <= 4 else 32
        names = [style.words(name, longest) for name in self.classes]
        rotation = 0 if len(self.classes) <= 4 else 45
        axes.set_xticks(ticks, names, rotation=rotation, ha="center" if rotation == 0 else "right")
        axes.set_yticks(ticks, names, rotation=90 if rotation == 0 else 0, va="center")
        axes.set(xlabel="predicted class", ylabel="true class")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
