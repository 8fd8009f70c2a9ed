"""The picture of several explanations of one image, side by side."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from medxray.explain.methods import METHODS
from medxray.explain.overlay import (
    DPI,
    bare_color_bar,
    lay_heat,
    printable,
    show_image,
    write_caption,
    write_picture,
)

_PANEL, _LEAST = 2.0, (1.75, 1.2)  # inches: longer side; least width, which the labels need, and least height
_EDGE, _FOOT, _GAP, _RIGHT = 0.06, 0.1, 0.1, 0.9  # beside, below and between the panels, and to the right of the last
_CAPTION, _LABELS = 0.72, 0.42  # above the panels
_LETTERS = 26  # of a label


def draw_grid(heatmaps, original):
    """Draw explanations of one image.

    Args:
        heatmaps: `heatmaps.Heatmap`s of the image, at least one.
        original: uint8 (h,w,1 or 3), the image as `data.images.load` gives it to be shown.

    Returns:
        matplotlib Figure with one row: the image, and the image under the heat of each method, named above; one colour
        bar; the prediction above them all.
    """
    height, width = original.shape[:2]
    scale = _PANEL / max(height, width)
    panel = max(width * scale, _LEAST[0]), max(height * scale, _LEAST[1])
    figure, (plain, *places) = _row(len(heatmaps) + 1, *panel)
    show_image(plain, original)
    _label(plain, "Image", f"{width} × {height}")
    for axes, heatmap in zip(places, heatmaps, strict=True):
        show_image(axes, original)
        drawn = lay_heat(axes, heatmap, original)
        cells = " × ".join(map(str, heatmap.heatmap_layer.shape))
        _label(axes, METHODS[heatmap.method].title, f"{heatmap.layer}, {cells}" if heatmap.layer else cells)
    bar = bare_color_bar(figure, places[-1], drawn)
    bar.set_label(f"for {printable(heatmaps[0].target, 20)}", fontsize=8.5)
    bar.ax.yaxis.label.set_parse_math(False)
    write_caption(figure, heatmaps[0])
    return figure


def write_grid(path, heatmaps, original):
    """Draw explanations of one image into a PNG file; raises StorageError when it cannot be written."""
    write_picture(path, draw_grid(heatmaps, original))


def _row(count, width, height):
    """A figure with a row of panels of this size in inches, at fixed places."""
    whole = count * (width + _GAP) - _GAP + _EDGE + _RIGHT, height + _FOOT + _CAPTION + _LABELS
    figure = Figure(figsize=whole, dpi=DPI)
    FigureCanvasAgg(figure)
    size = _FOOT / whole[1], width / whole[0], height / whole[1]
    return figure, [figure.add_axes(((_EDGE + n * (width + _GAP)) / whole[0], *size)) for n in range(count)]


def _label(axes, *lines):
    """Write two lines above a panel."""
    place = {"transform": axes.transAxes, "ha": "center", "va": "bottom", "parse_math": False}
    lift = 1 / axes.figure.get_figheight() / axes.get_position().height  # an inch, in heights of the panel
    for line, size, inches in zip(lines, (9, 7.5), (0.2, 0.04), strict=True):
        axes.text(0.5, 1 + inches * lift, printable(line, _LETTERS), fontsize=size, **place)
