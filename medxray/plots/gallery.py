"""Images with their true and predicted classes."""

import math
from dataclasses import dataclass

import numpy as np

from medxray.errors import MedxrayError
from medxray.metrics.failures import confident_errors
from medxray.metrics.intervals import equals_probability
from medxray.plots import style
from medxray.plots.framed import draw_framed

COLUMNS = 6
_WIDTH, _HEIGHT, _HEADING = 1.75, 2.5, 0.3
_RIGHT, _WRONG = style.BLUE, style.VERMILLION


@dataclass(frozen=True, eq=False)
class Tile:
    """One image of a gallery.

    Attributes:
        pixels: uint8 array (h, w), or None when the file could not be read.
        true: name of the true class.
        predicted: name of the predicted class.
        probability: calibrated probability that is shown, 0-1.
        of: name of the class the probability belongs to.
    """

    pixels: np.ndarray | None
    true: str
    predicted: str
    probability: float
    of: str

    @property
    def correct(self):
        """The predicted class is the true one."""
        return self.true == self.predicted


def _tiles(predictions, decision, rows, thumbnails):
    probabilities = predictions.probabilities(decision.calibration)
    labels = decision.labels(predictions.logits)
    tiles = []
    for row in rows:
        shown = 1 if predictions.is_binary else labels[row]
        tiles.append(
            Tile(
                pixels=_pixels(thumbnails, int(row)),
                true=predictions.classes[predictions.y_true[row]],
                predicted=predictions.classes[labels[row]],
                probability=float(probabilities[row, shown]),
                of=predictions.classes[shown],
            )
        )
    return tiles


def _pixels(thumbnails, row):
    try:
        return thumbnails(row)
    except (MedxrayError, OSError):
        return None


class GalleryDisplay:
    """Rows of images, each row group under its own heading."""

    def __init__(self, groups, *, what, report):
        """Store a list of (heading, list of `Tile`), the title and the report."""
        self.groups, self.what, self.report = [group for group in groups if group[1]], what, report

    @classmethod
    def sample(cls, predictions, decision, *, report, thumbnails, n=18, seed=0):
        """A random sample in the proportions of the classes, drawn without looking at the predictions.

        Args:
            predictions: `Predictions`.
            decision: `Decision`.
            report: evaluation report of the split.
            thumbnails: function of a row number that returns a uint8 array (h, w).
            n: number of images.
            seed: of the sample.
        """
        order = np.random.default_rng(seed).permutation(len(predictions))[:n]
        rows = sorted(order, key=lambda row: predictions.y_true[row])
        tiles = _tiles(predictions, decision, rows, thumbnails)
        return cls([("", tiles)], what="Predicted and true classes, a random sample", report=report)

    @classmethod
    def errors(cls, predictions, decision, *, report, thumbnails, k=12):
        """The k most confident errors of each kind; arguments as for `sample`."""
        found = confident_errors(predictions, decision, k=k)
        groups = [
            (
                f"{kind.replace('_', ' ').capitalize()}, most confident first",
                _tiles(predictions, decision, rows, thumbnails),
            )
            for kind, rows in found.items()
        ]
        return cls(groups, what="Most confident errors", report=report)

    def plot(self):
        """Draw and return the figure."""
        lines = [math.ceil(len(tiles) / COLUMNS) for _, tiles in self.groups]
        headings = len([heading for heading, _ in self.groups if heading])
        figure = style.new_figure(COLUMNS * _WIDTH + 0.2, sum(lines) * _HEIGHT + _HEADING * headings + 0.75)
        parts = np.atleast_1d(
            figure.subfigures(len(lines), 1, height_ratios=[line * _HEIGHT + _HEADING for line in lines])
        )
        for part, line, (heading, tiles) in zip(parts, lines, self.groups, strict=True):
            if heading:
                part.suptitle(heading, fontsize=11, x=0.012, ha="left", color=style.BLACK)
            panels = part.subplots(line, COLUMNS, squeeze=False).ravel()
            for axes, tile in zip(panels, tiles, strict=False):
                _draw_tile(axes, tile)
            for axes in panels[len(tiles) :]:
                axes.set_axis_off()
        style.title(figure, f"{self.what}\n{style.decided_by(self.report)}", self.report)
        return figure


def _draw_tile(axes, tile):
    colour, verdict = (_RIGHT, "✓ correct") if tile.correct else (_WRONG, "✗ WRONG")
    draw_framed(axes, tile.pixels, verdict, colour, width=3, size=9)
    lines = [
        f"true: {style.words(tile.true, 18)}",
        f"predicted: {style.words(tile.predicted, 15)}",
        f"P({style.words(tile.of, 14)}) {equals_probability(tile.probability)}",
    ]
    axes.set_xlabel("\n".join(lines), fontsize=8.5)
