"""What a section of the report consists of."""

from dataclasses import dataclass, field

from medxray.report.elements import Markup

TEXT, MUTED = "text", "muted"  # colours of the page, beside the numbers of classes


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Attributes:
        key: its anchor.
        title: its heading.
        body: Markup.
        charts: dict key -> `chart_data`.
        data: dict of further values for the script, or None.
    """

    key: str
    title: str
    body: Markup
    charts: dict = field(default_factory=dict)
    data: dict | None = None


@dataclass(frozen=True)
class Missing:
    """What the run does not hold.

    Attributes:
        what: in words.
        remedy: which command makes it, or why there is none.
        command: the command line, or None.
    """

    what: str
    remedy: str
    command: str | None = None


def chart_data(series, *, x, y, lines=(), square=False):
    """What the script draws a chart from.

    Args:
        series: list of `line`, `band`, `points` and `bars`.
        x: `axis`.
        y: `axis`.
        lines: list of dict x and label: vertical lines; `live` (bool) follows the operating point.
        square: both axes have one scale.
    """
    return {"series": series, "x": x, "y": y, "lines": list(lines), "square": square}


def axis(title, *, range=None, log=False, names=None):
    """An axis: title, range (low, high) or None, logarithmic or not, names of its places or None."""
    return {"title": title, "range": range and [float(end) for end in range], "log": log, "names": names}


def line(name, x, y, *, colour, dash="solid", marks=False, step=False):
    """A line; `colour` is the number of a class, TEXT or MUTED; `dash` as Plotly calls it."""
    shape = "vh" if step else "linear"
    return _series("line", name, x, y, colour) | {"dash": dash, "marks": marks, "shape": shape}


def band(name, x, low, high, *, colour, step=False):
    """An area between two lines."""
    shape = "vh" if step else "linear"
    return _series("band", name, x, low, colour) | {"high": rounded(high), "shape": shape}


def points(name, x, y, *, colour, symbol="circle", low=None, high=None, live=None):
    """Points with vertical intervals from `low` to `high`; `live` names what of the operating point moves them."""
    found = _series("points", name, x, y, colour) | {"symbol": symbol, "live": live}
    return found | ({} if low is None else {"low": rounded(low), "up": rounded(high)})


def bars(name, x, y, *, colour, width):
    """Bars of a width, around their x."""
    return _series("bars", name, x, y, colour) | {"width": width}


def _series(kind, name, x, y, colour):
    return {"kind": kind, "name": name, "x": rounded(x), "y": rounded(y), "colour": colour}


def rounded(values):
    """Numbers with six digits, which are more than a chart shows; what is not finite becomes None; texts stay."""
    return [_rounded(value) for value in values]


def _rounded(value):
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    return float(f"{number:.6g}") if abs(number) < float("inf") else None
