"""Errors beside the training images that are most similar to them."""

from dataclasses import dataclass

import numpy as np

from medxray.plots import style

_WIDTH, _HEIGHT, _HEADING = 1.9, 2.3, 0.6


@dataclass(frozen=True, eq=False)
class Case:
    """One image of a row.

    Attributes:
        pixels: uint8 array (h, w) or (h, w, 3), or None when the file could not be read.
        title: what stands above it.
        words: what stands below it.
    """

    pixels: np.ndarray | None
    title: str
    words: str


class SimilarDisplay:
    """Rows of images: an error, then its neighbours, nearest first."""

    def __init__(self, rows):
        """Store the rows, a list of lists of `Case`, each with one or more."""
        self.rows = rows

    def plot(self):
        """Draw and return the figure."""
        columns = max(map(len, self.rows))
        figure = style.new_figure(columns * _WIDTH, len(self.rows) * _HEIGHT + _HEADING)
        grid = figure.subplots(len(self.rows), columns, squeeze=False)
        for panels, cases in zip(grid, self.rows, strict=True):
            for axes, case in zip(panels, cases, strict=False):
                _draw(axes, case, style.VERMILLION if case is cases[0] else style.BLUE)
            for axes in panels[len(cases) :]:
                axes.set_axis_off()
        figure.suptitle("Confident errors and the training images with the nearest features", fontsize=11)
        return figure


def _draw(axes, case, colour):
    axes.set_xticks([])
    axes.set_yticks([])
    if case.pixels is None:
        axes.text(0.5, 0.5, "file cannot\nbe read", ha="center", va="center", transform=axes.transAxes, fontsize=9)
        axes.set_box_aspect(1)
    else:
        axes.imshow(case.pixels, cmap="gray", vmin=0, vmax=255)
    for spine in axes.spines.values():
        spine.set(edgecolor=colour, linewidth=2)
    axes.set_title(style.words(case.title, 22), fontsize=9.5, color=colour, pad=4)
    axes.set_xlabel(style.words(case.words, 26), fontsize=9)
