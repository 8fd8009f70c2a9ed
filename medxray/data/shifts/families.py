"""The table of shifted views: names, groups, severities and units. No TensorFlow."""

import zlib
from dataclasses import dataclass

import numpy as np

from medxray.errors import ConfigError

SEVERITIES = (1, 2, 3)
GROUPS = ("framing", "exposure", "sharpness", "noise", "bars", "marker")
SEED = 0  # of the views of every evaluation, so that all models are asked about the same views
DRAWS = 6  # uniform numbers that a view of an image may use

_MEDMNIST_C = "MedMNIST-C (Di Salvo et al. 2024, arXiv:2406.17536)"
_IMAGENET_C = "ImageNet-C (Hendrycks and Dietterich 2019)"
_FRAMED = "radiographs differ in distance, field and position, and patients in size"
_FACTOR, _SIDE, _RANGE = "factor", "share of the side", "share of the range 0-255"


@dataclass(frozen=True)
class Family:
    """One kind of shift.

    Attributes:
        name: what it is called in reports.
        group: one of GROUPS.
        values: its strength at the severities 1, 2 and 3.
        unit: of the values.
        what: what is done to an image.
        source: where it comes from.
    """

    name: str
    group: str
    values: tuple[float, float, float]
    unit: str
    what: str
    source: str

    def value(self, severity):
        """Its strength at a severity, one of SEVERITIES."""
        return self.values[SEVERITIES.index(severity)]


def _inverse(*values):
    return tuple(1 / value for value in values)


_ROWS = (
    Family("zoom-out", "framing", (0.85, 0.7, 0.55), _FACTOR, "smaller, with black around it", _FRAMED),
    Family("crop", "framing", (1.1, 1.25, 1.4), _FACTOR, "larger, with the edges cut off", _FRAMED),
    Family("narrow", "framing", (0.88, 0.76, 0.65), _FACTOR, "width times the factor, black at both sides", _FRAMED),
    Family("wide", "framing", _inverse(0.88, 0.76, 0.65), _FACTOR, "width times the factor, sides cut off", _FRAMED),
    Family("shift", "framing", (0.05, 0.1, 0.15), _SIDE, "moved in a direction that is drawn", _FRAMED),
    Family("turn", "framing", (5, 10, 15), "degrees", "turned to a side that is drawn", _FRAMED),
    Family("gamma-dark", "exposure", (1.4, 1.8, 2.5), "exponent", "grey values to the power", _MEDMNIST_C),
    Family("gamma-bright", "exposure", _inverse(1.4, 1.8, 2.5), "exponent", "grey values to the power", _MEDMNIST_C),
    Family("brighter", "exposure", (0.1, 0.2, 0.3), _RANGE, "added", _IMAGENET_C),
    Family("darker", "exposure", (0.1, 0.2, 0.3), _RANGE, "taken away", _MEDMNIST_C),
    Family("contrast-low", "exposure", (0.7, 0.5, 0.35), _FACTOR, "contrast about the image's mean", _MEDMNIST_C),
    Family("contrast-high", "exposure", (1.3, 1.6, 2.0), _FACTOR, "contrast about the image's mean", _MEDMNIST_C),
    Family(
        "local-contrast",
        "exposure",
        (0.3, 0.6, 0.9),
        "share",
        "mean and deviation of each neighbourhood brought towards 127.5 and 51",
        "Wallis (1976); vendors process radiographs so, compare Pizer et al. (1987)",
    ),
    Family("blur", "sharpness", (0.005, 0.01, 0.018), "share of the height", "Gaussian of this deviation", _MEDMNIST_C),
    Family("pixelation", "sharpness", (0.5, 0.35, 0.25), "share of the pixels a side", "coarser pixels", _MEDMNIST_C),
    Family("jpeg", "sharpness", (30, 15, 7), "quality, 1-100", "stored as JPEG", _MEDMNIST_C),
    Family("gaussian-noise", "noise", (0.02, 0.05, 0.1), _RANGE, "normal noise of this deviation", _IMAGENET_C),
    Family(
        "poisson-noise", "noise", (300, 100, 30), "quanta at white", "counts of quanta instead of means", _MEDMNIST_C
    ),
    Family("speckle-noise", "noise", (0.05, 0.1, 0.2), "share of the grey value", "normal noise times it", _MEDMNIST_C),
    Family(
        "collimation",
        "bars",
        (0.06, 0.12, 0.18),
        _SIDE,
        "four margins, each of half to all of this width, at a tenth of their grey values",
        "what is outside of the field is shown dark (DICOM PS3.3, display shutter)",
    ),
    Family(
        "letterbox",
        "bars",
        (0.05, 0.1, 0.15),
        _SIDE,
        "a black bar of this width above and below, or at both sides, as is drawn",
        "images of another shape are padded",
    ),
    Family(
        "marker",
        "marker",
        (0.06, 0.1, 0.15),
        "share of the height",
        "a bright R or L of this height in an upper corner, letter and corner drawn",
        "side markers of lead; shortcuts by them: Zech et al. (2018)",
    ),
)
FAMILIES = {row.name: row for row in _ROWS}
VIEWS = tuple((name, severity) for name in FAMILIES for severity in SEVERITIES)


def family(name):
    """Look a family up. Raises ConfigError for an unknown name."""
    if name not in FAMILIES:
        raise ConfigError(f"A family of shifts must be one of {', '.join(FAMILIES)}. Received '{name}'.")
    return FAMILIES[name]


def families_of(group):
    """The names of the families of a group, in the order of the table."""
    return tuple(name for name, row in FAMILIES.items() if row.group == group)


def draws(name, severity, keys, *, seed=SEED):
    """What a view of images draws; it depends on seed, key, family and severity alone.

    Args:
        name: name of the family.
        severity: one of SEVERITIES.
        keys: int array (n,), at least 0, see `data.image_keys.image_keys`.
        seed: int, at least 0.

    Returns:
        (float32 array (n, DRAWS), uniform from 0 to below 1; int32 array (n,2), seeds of what is drawn for each pixel).
    """
    stream = (zlib.crc32(name.encode()), severity)
    rngs = [np.random.default_rng([seed, int(key), *stream]) for key in keys]
    uniform = np.array([rng.random(DRAWS) for rng in rngs], np.float32).reshape(-1, DRAWS)
    seeds = np.array([rng.integers(1 << 31, size=2) for rng in rngs], np.int64).reshape(-1, 2)
    return uniform, seeds.astype(np.int32)


def draw_choices(group, keys, *, seed=SEED):
    """One random family and severity of a group for each image.

    Returns:
        list of (name, severity), as `keys`; each family and each severity is equally likely.
    """
    options = [(name, severity) for name in families_of(group) for severity in SEVERITIES]
    stream = zlib.crc32(group.encode())
    return [options[np.random.default_rng([seed, int(key), stream]).integers(len(options))] for key in keys]
