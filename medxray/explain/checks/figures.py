"""What was measured of the maps of one method, image by image, and its figures with intervals. No TensorFlow."""

from dataclasses import dataclass

import numpy as np

from medxray.explain.checks.perturbations import FRACTIONS
from medxray.metrics.map_concentration import UNIFORM_BORDER_SHARE
from medxray.metrics.patient_means import mean_by_patient
from medxray.metrics.shares import share

HIT_RATE, IOU, ENERGY = "hit_rate", "iou", "energy_inside"


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of maps of n images.

    Attributes:
        curves: dict figure -> (fractions (F,), scores (n,F)), see `perturbations.curves`.
        per_image: dict name -> float array (n,): areas under the curves, gini, border_share and, where something is
            known of the images, hit_rate (0 or 1), iou, energy_inside; nan where it does not count.
        constant: bool array (n,): the map is the same everywhere.
    """

    curves: dict
    per_image: dict
    constant: np.ndarray

    def __len__(self):
        return len(self.constant)

    def first(self, count):
        """What was measured of the first images."""
        curves = {name: (fractions, scores[:count]) for name, (fractions, scores) in self.curves.items()}
        per_image = {name: values[:count] for name, values in self.per_image.items()}
        return Measured(curves, per_image, self.constant[:count])


def figures_of(measured, references, patients, labels, *, seed):
    """The figures of maps as JSON.

    Args:
        measured: Measured.
        references: dict name of a reference map -> Measured of the same images or more; empty for a reference itself.
        patients: str array (n,) or more, of the images.
        labels: int array (n,) or more, class index.
        seed: of the bootstrap.

    Returns:
        dict of JSON values. Each figure has value and ci95 (by patient; None with too few). Those of `FRACTIONS` have
        minus_random and minus_centre, the mean difference within images, and curve, the mean score at each fraction.
    """
    n = len(measured)
    who = {"patient_ids": patients[:n], "y_true": labels[:n]}
    found = {"n": n, "constant_maps": int(measured.constant.sum())}
    for name in FRACTIONS:
        values = measured.per_image[name]
        found[name] = mean_by_patient(values, **who, seed=seed)
        for reference, other in references.items():
            difference = values - other.per_image[name][:n]
            found[name][f"minus_{reference}"] = mean_by_patient(difference, **who, seed=seed)
        found[name]["curve"] = measured.curves[name][1].mean(axis=0).tolist()
    for name in ("gini", "border_share"):
        found[name] = mean_by_patient(measured.per_image[name], **who, seed=seed)
    found["border_share"]["uniform"] = UNIFORM_BORDER_SHARE
    if HIT_RATE not in measured.per_image:
        return found
    hit = measured.per_image[HIT_RATE]
    counted = np.isfinite(hit)
    hits = share(np.where(counted, hit, 0) > 0, counted, patients[:n])
    found[HIT_RATE] = {name: hits[name] for name in ("value", "ci95")}
    for name in (IOU, ENERGY):
        found[name] = mean_by_patient(measured.per_image[name], **who, seed=seed)
    return found | {"n_localised": int(counted.sum())}
