"""One look for all pictures: colours, figures without global state, words in titles and legends."""

import io
import re
import warnings

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from medxray.metrics.decision import chosen_where
from medxray.metrics.thresholds import FIXED
from medxray.moved import names_of_old_module
from medxray.plots.fonts import use_readable_fonts
from medxray.system import storage

# Okabe and Ito (2008), told apart with every kind of colour blindness.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#767676"
CLASS_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
LINE_STYLES = ("-", "--", "-.", ":")
DPI = 110
_LONGEST = 32
_METADATA = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}  # no times, no versions
__getattr__ = names_of_old_module(__name__)


class PlotFigure(Figure):
    """A figure that is not known to pyplot, and that shows itself in a notebook."""

    def _repr_png_(self):
        """The figure as PNG, bytes: what a notebook asks for."""
        written = io.BytesIO()
        _write(self, written, "png")
        return written.getvalue()


def new_figure(width, height):
    """A PlotFigure of the given size in inches, laid out so that texts do not collide."""
    figure = PlotFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure, path):
    """Write a figure atomically, as PNG, SVG or PDF by the name of the file, and return `path`.

    Equal figures give equal bytes.
    """
    suffix = str(path).rpartition(".")[2]
    with storage.atomic_path(path) as temporary:
        _write(figure, temporary, suffix if suffix in _METADATA else "png")
    return path


def _write(figure, target, kind):
    use_readable_fonts(figure)
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "medxray"}):
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # told by use_readable_fonts
        warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)  # before 3.11
        figure.savefig(target, format=kind, dpi=DPI, metadata=_METADATA[kind])


def file_stem(split):
    """The name of a split as the beginning of a file name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", split).strip(".-") or "split"


def class_colour(k):
    """Colour of the k-th class; with more than seven classes colours repeat with another line style."""
    return CLASS_COLOURS[k % len(CLASS_COLOURS)]


def class_line(k):
    """Line style of the k-th class."""
    return LINE_STYLES[k // len(CLASS_COLOURS) % len(LINE_STYLES)]


def words(text, longest=_LONGEST):
    """Text from data as matplotlib shows it literally: no formulas, no line breaks, shortened in the middle.

    Bytes of a path that are not UTF-8 become escapes.
    """
    shown = " ".join(str(text).encode("utf-8", "backslashreplace").decode().split())
    if len(shown) > longest:
        tail = longest // 3
        shown = f"{shown[: longest - tail - 1]}…{shown[-tail:]}"
    return shown.replace("$", r"\$")


def tidy(axes, *, grid="both"):
    """Thin grid behind the data and no frame on the top and right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color="#E3E3E3", linewidth=0.8)


def title(figure, what, report):
    """Two lines: what is drawn, then split, images and patients."""
    figure.suptitle(f"{what}\n{scope(report)}", fontsize=11)


def scope(report):
    """Split, images and patients of an evaluation report, in words."""
    return (
        f"{words(report['split'])} split: {counted(report['n'], 'image')}, {counted(report['n_patients'], 'patient')}"
    )


def decided_by(report):
    """The rule that turns a probability into a label, in words; two lines where shifted views took part."""
    threshold = report["threshold"]
    if threshold is None:
        return "predicted: the most probable class"
    chosen_on = words(threshold["chosen_on"])
    where = chosen_where(chosen_on, report.get("decided_on"))
    origin = FIXED if chosen_on == FIXED else f"{words(threshold['rule'])}, chosen on {where}"
    gap = " " if where == chosen_on else "\n"  # one line has no room for more
    return f"predicted {words(report['positive'])} when P ≥ {threshold['value']:.3g}{gap}({origin})"


def counted(number, noun):
    """A number with its noun: "1 patient", "1,200 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def legend(axes, **options):
    """An opaque legend in the size that all plots use."""
    return axes.legend(**{"fontsize": 9, "framealpha": 1.0, "edgecolor": "#CCCCCC"} | options)
