"""Images of a shortcut audit: changed ones, and the lungs that were found."""

import math
import textwrap

import numpy as np

from medxray.plots import style

_TITLES = {
    ("border", "other_image"): "border:\nanother image's",
    ("border", "mean"): "border:\nmean colour",
    ("marker_region", "other_image"): "upper corners:\nanother image's",
    ("marker_region", "mean"): "upper corners:\nmean colour",
    ("outside_lungs", "other_image"): "outside the lungs:\nanother image's",
    ("outside_lungs", "mean"): "outside the lungs:\nmean colour",
    ("lungs", "mean"): "lungs:\nmean colour",
    ("marker", 2): "pasted marker,\nseverity 2",
}
_SIDE, _HEAD = 1.45, 0.45  # inches of a panel, and of its title
_LUNGS_SHOWN, _COLUMNS = 24, 8


class ExamplesDisplay:
    """A row for each example: the image and its changed versions."""

    def __init__(self, report, pixels, versions, names):
        """Store the report, uint8 pixels (n,H,W,C), dict change -> list of the first images, and the files' names."""
        self.report, self.pixels, self.versions, self.names = report, pixels, versions, names

    def plot(self):
        """Draw and return the figure."""
        count = len(next(iter(self.versions.values())))
        columns = [("image", self.pixels[:count]), *((words, self.versions[key]) for key, words in _TITLES.items())]
        figure = style.new_figure(len(columns) * _SIDE + 0.3, count * _SIDE + _HEAD + 0.9)
        panels = figure.subplots(count, len(columns), squeeze=False)
        for column, (words, images) in enumerate(columns):
            panels[0, column].set_title(words, fontsize=8)
            for row, image in enumerate(images):
                _image(panels[row, column], image, "no lungs\nfound")
        for row, name in enumerate(self.names[:count]):
            panels[row, 0].set_ylabel(style.words(name, 18), fontsize=6.5)
        style.title(figure, "Shortcut audit: images and what the model was asked instead", self.report)
        return figure


class LungsDisplay:
    """The first images with the outline of the lungs that were found."""

    def __init__(self, report, images, lungs, reasons):
        """Store the report, images without bars (uint8 (h,w,C)), masks (bool (h,w) or None), and why there is none."""
        self.report, self.images, self.lungs, self.reasons = report, images, lungs, reasons

    def plot(self):
        """Draw and return the figure."""
        count = min(_LUNGS_SHOWN, len(self.images))
        rows, columns = math.ceil(count / _COLUMNS), min(_COLUMNS, count)
        figure = style.new_figure(max(columns * _SIDE, 5) + 0.2, rows * (_SIDE + 0.25) + 0.9)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, image, lungs, reason in zip(panels, self.images, self.lungs, self.reasons, strict=False):
            _image(axes, image, "")
            if lungs is None:
                axes.set_xlabel("\n".join(textwrap.wrap(reason, 26)), fontsize=6.5, color=style.VERMILLION)
            else:
                axes.contour(lungs, levels=[0.5], colors=[style.SKY], linewidths=1.2)
        for axes in panels[count:]:
            axes.set_axis_off()
        found = self.report["lung_fields"]["found"]
        style.title(figure, f"Lungs found in {found} of {self.report['n']} images; {count} are shown", self.report)
        return figure


def _image(axes, image, otherwise):
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(edgecolor="#CCCCCC")
    if image is None:
        axes.text(0.5, 0.5, otherwise, transform=axes.transAxes, ha="center", va="center", fontsize=8)
        axes.set_box_aspect(1)
        return
    shown = np.asarray(image)
    axes.imshow(shown[..., 0] if shown.shape[-1] == 1 else shown, cmap="gray", vmin=0, vmax=255)
