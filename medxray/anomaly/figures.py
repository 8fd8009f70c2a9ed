"""Anomaly maps of a run and the figures of them. No TensorFlow."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.anomaly.displays import AnomalyExample, AnomalyMapsDisplay
from medxray.plots import style

_SHOWN = (0.1, 0.5, 0.9)  # quantiles of the score whose images are drawn


@dataclass(frozen=True, eq=False)
class AnomalyMap:
    """Where an image is abnormal.

    Attributes:
        file: pathlib.Path of the image.
        pixels: uint8 (H,W,C), the model's input.
        anomaly_map: float32 (h,w), at least 0, in the unit of the method.
        reconstruction: float32 (H,W,C), 0-255, or None where the method has none.
        score: deviations above the mean of normal validation images.
        probability: calibrated probability of the abnormal class, 0-1.
        label: predicted class.
        true_label: the true class, or None when it is unknown.
    """

    file: Path
    pixels: np.ndarray
    anomaly_map: np.ndarray
    reconstruction: np.ndarray | None
    score: float
    probability: float
    label: str
    true_label: str | None


def maps_figure(found, *, unit, title):
    """The figure of some AnomalyMaps (at least one) in this unit."""
    return AnomalyMapsDisplay(list(map(_example, found)), title=title, unit=unit).plot()


def _example(found):
    truth = "" if found.true_label is None else f"true {style.words(found.true_label, 20)}\n"
    return AnomalyExample(
        pixels=_flat(found.pixels),
        reconstruction=None if found.reconstruction is None else _flat(found.reconstruction),
        anomaly_map=found.anomaly_map,
        heading=f"{truth}called {style.words(found.label, 20)}",
        caption=f"score {found.score:.2f}",
    )


def _flat(pixels):
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def shown_rows(predictions):
    """Rows of each class at the quantiles _SHOWN of the score."""
    rows = []
    for k in range(len(predictions.classes)):
        members = np.flatnonzero(predictions.y_true == k)
        ranked = members[np.argsort(predictions.logits[members, 1], kind="stable")]
        rows += [int(ranked[round(share * (len(ranked) - 1))]) for share in _SHOWN] if len(ranked) else []
    return list(dict.fromkeys(rows))
