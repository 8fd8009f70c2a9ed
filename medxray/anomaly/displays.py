"""What an anomaly detector saw: images with their maps, and the scores of each class."""

from dataclasses import dataclass

import numpy as np

from medxray.metrics.subgroups import frequent_subtypes
from medxray.plots import style

_PANEL = 2.3  # inches
_BINS = 40
_COLOURS = "magma"


@dataclass(frozen=True, eq=False)
class AnomalyExample:
    """One image with its map.

    Attributes:
        pixels: uint8 array (H,W) or (H,W,3), the model's input.
        reconstruction: array of the same shape, 0-255, or None where the method has none.
        anomaly_map: float32 array (h,w), at least 0; h and w may be smaller than H and W.
        heading: line above the image.
        caption: line below it.
    """

    pixels: np.ndarray
    reconstruction: np.ndarray | None
    anomaly_map: np.ndarray
    heading: str
    caption: str


class AnomalyMapsDisplay:
    """Input, reconstruction where there is one, and anomaly map; all maps on one scale."""

    def __init__(self, examples, *, title, unit):
        """Store a list of AnomalyExample, the title, and the unit of the maps for the colour bar."""
        self.examples, self.title, self.unit = list(examples), title, unit

    def plot(self):
        """Draw and return the figure: one column per image, one row per kind of picture."""
        kinds = ["input", "anomaly map"]
        if self.examples[0].reconstruction is not None:
            kinds.insert(1, "reconstruction")
        count = len(self.examples)
        figure = style.new_figure(max(count * _PANEL, 4.6) + 0.9, len(kinds) * _PANEL + 1.3)
        panels = figure.subplots(len(kinds), count, squeeze=False)
        highest = max(float(example.anomaly_map.max()) for example in self.examples) or 1.0
        for column, example in zip(panels.T, self.examples, strict=True):
            drawn = _draw_example(column, example, highest)
        for axes, kind in zip(panels[:, 0], kinds, strict=True):
            axes.set_ylabel(kind, fontsize=10)
        bar = figure.colorbar(drawn, ax=list(panels[-1]), fraction=0.05, pad=0.01)
        bar.set_label(self.unit, fontsize=9)
        figure.suptitle(self.title, fontsize=11)
        return figure


def _draw_example(column, example, highest):
    """Fill one column from the top; returns the drawn map."""
    height, width = example.pixels.shape[:2]
    pictures = [example.pixels] + ([] if example.reconstruction is None else [example.reconstruction])
    for axes, picture in zip(column, pictures, strict=False):
        axes.imshow(np.clip(picture, 0, 255).astype(np.uint8), cmap="gray", vmin=0, vmax=255)
    column[0].set_title(example.heading, fontsize=9)
    drawn = column[-1].imshow(
        example.anomaly_map,
        cmap=_COLOURS,
        vmin=0,
        vmax=highest,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bilinear",
    )
    column[-1].set_xlabel(example.caption, fontsize=9)
    for axes in column:
        axes.set_xticks([])
        axes.set_yticks([])
    return drawn


class AnomalyScoresDisplay:
    """Histogram of the score for each class, and for each of the most frequent finer labels where there are some."""

    def __init__(self, groups, threshold, *, report):
        """Store a list of (words, float array of scores, colour), the threshold as a score or None, and the report."""
        self.groups, self.threshold, self.report = groups, threshold, report

    @classmethod
    def from_predictions(cls, predictions, threshold, *, report):
        """The score is the logit of the abnormal class."""
        scores = predictions.logits[:, 1]
        groups = []
        for k, name in enumerate(predictions.classes):
            members = predictions.y_true == k
            groups.append((_named(name, members), scores[members], style.class_colour(k)))
        subtypes = np.asarray(predictions.subtypes or ())
        for index, name in enumerate(frequent_subtypes(subtypes)):
            groups.append((_named(name, subtypes == name), scores[subtypes == name], style.class_colour(2 + index)))
        return cls(groups, threshold, report=report)

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(7.2, min(1.5 + 1.5 * len(self.groups), 14))
        panels = figure.subplots(len(self.groups), 1, sharex=True, squeeze=False)[:, 0]
        edges = np.histogram_bin_edges(np.concatenate([values for _, values, _ in self.groups]), bins=_BINS)
        for axes, (words, values, colour) in zip(panels, self.groups, strict=True):
            axes.hist(values, bins=edges, color=colour, edgecolor="white", linewidth=0.5)
            axes.set_title(words, fontsize=10, loc="left")
            axes.set_ylabel("images")
            axes.yaxis.get_major_locator().set_params(integer=True)
            style.tidy(axes, grid="y")
            if self.threshold is not None:
                axes.axvline(self.threshold, color=style.BLACK, linestyle="--", linewidth=1.2)
        if self.threshold is not None:
            panels[0].set_title(f"dashed line: threshold {self.threshold:.3g}", fontsize=10, loc="right")
        panels[-1].set_xlabel("anomaly score (deviations above the mean of normal validation images)")
        style.title(figure, "Anomaly scores by class", self.report)
        return figure


def _named(name, members):
    return f"{style.words(name)}: {style.counted(int(members.sum()), 'image')}"
