"""The picture of an explanation: the original image, and the heatmap laid over it."""

import warnings

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from medxray.system import storage

_DPI = 150
_PANEL = 4.2  # inches, longer side
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
        original: uint8 (h,w,1 or 3), the image as `originals.read_original` returns it.

    Returns:
        matplotlib Figure: the image, beside it the image under the heat with a colour bar, the prediction above.
    """
    height, width = original.shape[:2]
    scale = _PANEL / max(height, width)
    panel = (max(width * scale, 2.4), max(height * scale, 1.6))
    figure = Figure(figsize=(2 * panel[0] + 1.1, panel[1] + 0.85), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    plain, heated = figure.subplots(1, 2)
    for axes in (plain, heated):
        _show(axes, original)
    drawn = heated.imshow(
        crop_to_image(heatmap.heatmap, heatmap.box),
        cmap=heat_colormap(),
        vmin=0.0,
        vmax=1.0,
        extent=(0, width, height, 0),
        interpolation="bilinear",
    )
    if not heatmap.heatmap.any():
        _note(heated, f"no part stands out\nfor {_printable(heatmap.target, 24)}\nin this layer")
    _color_bar(figure, heated, drawn, heatmap)
    lines = [_printable(line, int(_LETTERS_PER_INCH * figure.get_figwidth())) for line in _caption(heatmap)]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9.5, parse_math=False, linespacing=1.35)
    return figure


def write_overlay(path, heatmap, original):
    """Draw one explanation into a PNG file; raises StorageError when it cannot be written."""
    figure = draw_overlay(heatmap, original)
    with warnings.catch_warnings(), storage.atomic_path(path) as temporary:
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # a file name in another script
        figure.savefig(temporary)


def _show(axes, original):
    height, width, channels = original.shape
    shown = original[..., 0] if channels == 1 else original
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axes.set_axis_off()


def _note(axes, text):
    style = {"boxstyle": "round", "facecolor": "black", "alpha": 0.6, "edgecolor": "none"}
    place = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, text, color="white", fontsize=9, bbox=style, parse_math=False, **place)


def _color_bar(figure, axes, drawn, heatmap):
    bar = figure.colorbar(drawn, cax=axes.inset_axes([1.03, 0.0, 0.045, 1.0]), ticks=[0, 0.5, 1])
    bar.ax.set_facecolor("0.35")  # the colours as they look on the grey of an X-ray
    bar.ax.set_yticklabels(["none", "0.5", "most"])
    height, width = heatmap.heatmap_layer.shape
    name = _printable(heatmap.target, 24)
    bar.set_label(f"Grad-CAM for {name}\n{heatmap.layer}, {height} × {width} cells", fontsize=8.5)
    bar.ax.yaxis.label.set_parse_math(False)
    bar.ax.tick_params(labelsize=8)


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
        origin = "fixed" if point.chosen_on == "fixed" else f"{point.rule} on {point.chosen_on}"
        numbers = f"P({heatmap.classes[-1]}) = {heatmap.probabilities[-1]:.3f} {kind}, "
        numbers += f"threshold {point.value:.3f} ({origin})"
    return heatmap.file.name, verdict, numbers


def _printable(name, longest):
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    return text if len(text) <= longest else text[: longest - 1] + "…"
