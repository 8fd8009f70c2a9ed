"""The picture of an explanation: the original image, and the heatmap laid over it."""

import io
import warnings

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from medxray.data.images.files import PICTURE_PIXELS
from medxray.explain.methods import METHODS
from medxray.metrics.decision import chosen_where
from medxray.plots.fonts import use_readable_fonts
from medxray.system import storage

DPI = 150
_PANEL = PICTURE_PIXELS / DPI  # inches, longer side: a picture is shown pixel by pixel
_EDGE, _FOOT, _GAP = 0.06, 0.1, 0.1  # inches beside, below and between the panels
_CAPTION, _LEGEND = 0.76, 0.67  # inches above and to the right of them
_BAR_FROM, _BAR_WIDTH = 1.03, 0.045  # of the colour bar, in widths of a panel
_COMPRESSION = 2  # of the PNG: a twelfth larger than by default, and written in a quarter of the time
_LETTERS_PER_INCH = 11  # of the caption
_STRONGEST = 0.72  # opacity where the heat is 1


def heat_colormap():
    """Colours of heat 0-1.

    Plasma is perceptually uniform and safe for colour-blind eyes. Its opacity is proportional to the heat, so that the
    image stays visible where the model did not look.
    """
    colors = colormaps["plasma"](np.linspace(0.1, 1.0, 256))
    colors[:, 3] = np.linspace(0.0, _STRONGEST, 256)
    return ListedColormap(colors, name="heat")


def crop_to_image(heatmap, box):
    """The part of a map at input resolution that lies on the image.

    Args:
        heatmap: float32 (H,W).
        box: (top, left, height, width) in pixels of the input.

    Returns:
        float32 (height,width).
    """
    top, left, height, width = box
    return heatmap[top : top + height, left : left + width]


def draw_overlay(heatmap, original):
    """Draw one explanation.

    Args:
        heatmap: `heatmaps.Heatmap`.
        original: uint8 (h,w,1 or 3), the image as `data.images.load` gives it to be shown.

    Returns:
        matplotlib Figure: the image, beside it the image under the heat with a colour bar, the prediction above.
    """
    height, width = original.shape[:2]
    scale = _PANEL / max(height, width)
    panel = (max(width * scale, 2.4), max(height * scale, 1.6))
    figure, (plain, heated) = _panels(*panel)
    for axes in (plain, heated):
        show_image(axes, original)
    _color_bar(figure, heated, lay_heat(heated, heatmap, original), heatmap)
    write_caption(figure, heatmap)
    return figure


def _panels(width, height):
    """A figure with two panels of this size in inches, at fixed places: an automatic layout draws everything twice."""
    whole = 2 * width + 2 * _EDGE + _GAP + (_BAR_FROM - 1 + _BAR_WIDTH) * width + _LEGEND, height + _FOOT + _CAPTION
    figure = Figure(figsize=whole, dpi=DPI)
    FigureCanvasAgg(figure)
    size = _FOOT / whole[1], width / whole[0], height / whole[1]
    lefts = _EDGE, _EDGE + width + _GAP
    return figure, [figure.add_axes((left / whole[0], *size)) for left in lefts]


def write_overlay(path, heatmap, original):
    """Draw one explanation into a PNG file; raises StorageError when it cannot be written."""
    write_picture(path, draw_overlay(heatmap, original))


def write_picture(path, figure):
    """Write a matplotlib Figure into a PNG file; raises StorageError when it cannot be written."""
    with storage.atomic_path(path) as temporary:
        _save(figure, temporary)


def png_bytes(figure):
    """A matplotlib Figure as the bytes of a PNG."""
    buffer = io.BytesIO()
    _save(figure, buffer)
    return buffer.getvalue()


def _save(figure, target):
    use_readable_fonts(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # told by use_readable_fonts
        figure.savefig(target, format="png", pil_kwargs={"compress_level": _COMPRESSION})


def show_image(axes, original):
    """Draw an image, uint8 (h,w,1 or 3), into matplotlib axes."""
    height, width, channels = original.shape
    shown = original[..., 0] if channels == 1 else original
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axes.set_axis_off()


def lay_heat(axes, heatmap, original):
    """Draw a Heatmap over an image, uint8 (h,w,1 or 3), and return what was drawn, for a colour bar."""
    height, width = original.shape[:2]
    if not heatmap.heatmap.any():
        where = "\nin this layer" if heatmap.layer else ""
        _note(axes, f"no part stands out\nfor {printable(heatmap.target, 24)}{where}")
    return axes.imshow(
        crop_to_image(heatmap.heatmap, heatmap.box),
        cmap=heat_colormap(),
        vmin=0.0,
        vmax=1.0,
        extent=(0, width, height, 0),
        interpolation="bilinear",
    )


def write_caption(figure, heatmap):
    """Write file, prediction, truth, probability and threshold of a Heatmap above the panels of a figure."""
    lines = [printable(line, int(_LETTERS_PER_INCH * figure.get_figwidth())) for line in _caption(heatmap)]
    place = {"x": 0.01, "y": 1 - 0.05 / figure.get_figheight(), "ha": "left", "va": "top"}
    figure.suptitle("\n".join(lines), fontsize=9.5, parse_math=False, linespacing=1.35, **place)


def _note(axes, text):
    style = {"boxstyle": "round", "facecolor": "black", "alpha": 0.6, "edgecolor": "none"}
    place = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, text, color="white", fontsize=9, bbox=style, parse_math=False, **place)


def _color_bar(figure, axes, drawn, heatmap):
    bar = bare_color_bar(figure, axes, drawn)
    height, width = heatmap.heatmap_layer.shape
    method, name = METHODS[heatmap.method].title, printable(heatmap.target, 24)
    layer = f"{heatmap.layer}, " if heatmap.layer else ""
    bar.set_label(f"{method} for {name}\n{layer}{height} × {width} cells", fontsize=8.5)
    bar.ax.yaxis.label.set_parse_math(False)


def bare_color_bar(figure, axes, drawn):
    """The colour bar, without a label, to the right of some axes."""
    bar = figure.colorbar(drawn, cax=axes.inset_axes([_BAR_FROM, 0.0, _BAR_WIDTH, 1.0]), ticks=[0, 0.5, 1])
    bar.ax.set_facecolor("0.35")  # the colours as they look on the grey of an X-ray
    bar.ax.set_yticklabels(["none", "0.5", "most"])
    bar.ax.tick_params(labelsize=8)
    return bar


def _caption(heatmap):
    """Three texts: file, prediction and truth, probability and threshold."""
    verdict = f"predicted {heatmap.label}"
    if heatmap.true_label is not None:
        verdict += f", true class {heatmap.true_label}"
        verdict += " (correct)" if heatmap.true_label == heatmap.label else " (wrong)"
    kind = "calibrated" if heatmap.calibrated else "not calibrated"
    if heatmap.threshold is None:
        most_likely = sorted(zip(heatmap.probabilities, heatmap.classes, strict=True), reverse=True)
        numbers = f"{kind}: " + ", ".join(f"P({name}) = {value:.3f}" for value, name in most_likely[:4])
    else:
        point = heatmap.threshold
        where = chosen_where(point.chosen_on, heatmap.decided_on)
        origin = "fixed" if point.chosen_on == "fixed" else f"{point.rule} on {where}"
        numbers = f"P({heatmap.classes[-1]}) = {heatmap.probabilities[-1]:.3f} {kind}, "
        numbers += f"threshold {point.value:.3f} ({origin})"
    return heatmap.file.name, verdict, numbers


def printable(name, longest):
    """A text without letters that cannot be printed, cut off after `longest`."""
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    return text if len(text) <= longest else text[: longest - 1] + "…"
