"""Embeddings as points on a plane, with the figures about their neighbourhoods."""

import numpy as np
from matplotlib.lines import Line2D

from medxray.metrics.intervals import estimate_text
from medxray.plots import style

METHOD_NAMES = {"tsne": "t-SNE", "pca": "PCA"}
_LINE = 0.22  # height of a line of text in inches
_MARKERS = {"train": "o", "val": "s", "test": "^", "": "D"}
_SIZES = {"train": 9, "val": 16, "test": 20, "": 12}
_ALPHA = {"train": 0.45, "val": 0.85, "test": 0.85, "": 0.7}
_COLUMNS = (0.0, 0.38, 0.67)  # left edges of the table, shares of its width


class ScatterDisplay:
    """A map of embeddings: colour is the class, shape the split."""

    def __init__(self, embeddings, projection, structure):
        """Store Embeddings, their Projection and their `neighborhood.structure_report`."""
        self.embeddings, self.projection, self.structure = embeddings, projection, structure

    def plot(self):
        """Draw and return the figure."""
        heights = [lines * _LINE for lines in self._lines()]
        figure = style.new_figure(11.8, max(6.4, sum(heights) + 0.9))
        grid = figure.add_gridspec(1, 2, width_ratios=(1.6, 1))
        beside = grid[1].subgridspec(3, 1, height_ratios=heights)
        self._draw_points(figure.add_subplot(grid[0]))
        panels = [figure.add_subplot(cell) for cell in beside]
        for axes in panels:
            axes.set_axis_off()
        self._draw_classes(panels[0])
        self._draw_splits(panels[1])
        self._draw_figures(panels[2])
        embeddings = self.embeddings
        counts = (
            f"{style.counted(len(embeddings), 'image')}, "
            f"{style.counted(len(np.unique(embeddings.patients)), 'patient')}"
        )
        name = METHOD_NAMES[self.projection.method]
        figure.suptitle(f"Pooled features of {style.words(embeddings.run)} by {name}\n{counts}", fontsize=11)
        return figure

    def _draw_points(self, axes):
        embeddings, points = self.embeddings, self.projection.points
        for split in self._splits():
            rows = np.flatnonzero(embeddings.splits == split)
            rows = rows[np.random.default_rng(0).permutation(len(rows))]  # no class hides the other
            axes.scatter(
                *points[rows].T,
                c=[style.class_colour(k) for k in embeddings.y_true[rows]],
                marker=_MARKERS[split],
                s=_SIZES[split],
                alpha=_ALPHA[split],
                edgecolors="white",
                linewidths=0.3,
            )
        style.tidy(axes)
        axes.set(xlabel=self.projection.axes[0], ylabel=self.projection.axes[1])
        if self.projection.method == "tsne":
            axes.set(xticks=[], yticks=[])

    def _splits(self):
        return [split for split in _MARKERS if (self.embeddings.splits == split).any()]

    def _lines(self):
        """Lines of text that class legend, split legend and table need."""
        return len(self.embeddings.classes) + 2, len(self._splits()) + 2, len(self.structure["groups"]) + 5

    def _draw_classes(self, axes):
        counts = np.bincount(self.embeddings.y_true, minlength=len(self.embeddings.classes))
        handles = [
            _handle("o", style.class_colour(k), f"{style.words(name, 28)} (n={count:,})")
            for k, (name, count) in enumerate(zip(self.embeddings.classes, counts, strict=True))
        ]
        style.legend(axes, handles=handles, title="Class", loc="upper left", alignment="left", borderaxespad=0)

    def _draw_splits(self, axes):
        handles = [_handle(_MARKERS[split], style.GREY, split or "no split") for split in self._splits()]
        style.legend(axes, handles=handles, title="Split", loc="upper left", alignment="left", borderaxespad=0)

    def _draw_figures(self, axes):
        structure = self.structure
        heading = (
            f"Purity: share of the {structure['k']} nearest images of other patients\n"
            f"that have the same label ({structure['metric']} distance; by chance {structure['chance_purity']:z.2f}).\n"
            "Both figures belong to the vectors, not to the map."
        )
        rows = [("", "purity", "silhouette")]
        rows += [
            (
                style.words(group["name"], 21),
                *(estimate_text(group[name], digits=2) for name in ("purity", "silhouette")),
            )
            for group in structure["groups"]
        ]
        options = {"va": "top", "fontsize": 8.5, "transform": axes.transAxes, "in_layout": False}
        axes.text(0, 1, heading, **options)
        for line, row in enumerate(rows, 3):
            for left, text in zip(_COLUMNS, row, strict=True):
                axes.text(left, 1 - (line + 0.5) / self._lines()[2], text, **options)


def _handle(marker, colour, label):
    return Line2D([], [], linestyle="", marker=marker, color=colour, label=label)
