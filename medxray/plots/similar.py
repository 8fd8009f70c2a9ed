"""Errors beside the training images that are most similar to them."""

from dataclasses import dataclass

import numpy as np

from medxray.plots import style
from medxray.plots.framed import draw_framed

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
    draw_framed(axes, case.pixels, style.words(case.title, 22), colour)
    axes.set_xlabel(style.words(case.words, 26), fontsize=9)
