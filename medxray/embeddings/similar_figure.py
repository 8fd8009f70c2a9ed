"""An image beside the training images most similar to it."""

import math
import textwrap
from dataclasses import dataclass

import numpy as np

from medxray.plots import style
from medxray.plots.framed import draw_framed

COLUMNS = 6
_WIDTH, _HEIGHT = 1.9, 2.45


@dataclass(frozen=True, eq=False)
class Picture:
    """A training image near the one in question.

    Attributes:
        pixels: uint8 array (h, w) or (h, w, 3), or None when the file could not be read.
        label: its true class.
        distance: cosine distance, 0-2.
        same_file: it is the very image in question.
    """

    pixels: np.ndarray | None
    label: str
    distance: float
    same_file: bool


class NeighborsDisplay:
    """One image and its neighbours, nearest first."""

    def __init__(self, pixels, pictures, *, name, heading):
        """Store the image (as `Picture.pixels`), a list of `Picture`, the file's name and what was predicted."""
        self.pixels, self.pictures, self.name, self.heading = pixels, list(pictures), name, heading

    def plot(self):
        """Draw and return the figure."""
        rows = math.ceil((len(self.pictures) + 1) / COLUMNS)
        columns = min(COLUMNS, len(self.pictures) + 1)
        figure = style.new_figure(max(columns * _WIDTH, 4.6), rows * _HEIGHT + 0.75)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        draw_framed(panels[0], self.pixels, "this image", style.BLACK)
        panels[0].set_xlabel("\n".join(textwrap.wrap(style.words(self.heading, 48), 22)), fontsize=9)
        for rank, (axes, picture) in enumerate(zip(panels[1:], self.pictures, strict=False), 1):
            draw_framed(axes, picture.pixels, f"{rank}. {style.words(picture.label, 20)}", style.BLUE)
            again = "\nthe same file" if picture.same_file else ""
            axes.set_xlabel(f"distance {picture.distance:.4f}{again}", fontsize=9)
        for axes in panels[len(self.pictures) + 1 :]:
            axes.set_axis_off()
        figure.suptitle(f"{style.words(self.name, 44)}\nmost similar training images, with their labels", fontsize=11)
        return figure
