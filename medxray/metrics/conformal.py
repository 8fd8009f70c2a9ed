"""Prediction sets: the classes that an image may be of, by split conformal prediction for each class, by patient."""

import math
from dataclasses import dataclass

import numpy as np

LEVEL = 0.975
ALWAYS = -math.inf  # threshold of a class that is in every set, since its patients are too few for any other
_ROUNDING = 1e-9


@dataclass(frozen=True)
class PredictionSets:
    """When a class is in the set of an image.

    Attributes:
        level: the share of images of each class whose set is to hold it, 0-1.
        log_odds: for each class, in the order of the logits: it is in the set from these calibrated log-odds of it
            against the others on; ALWAYS with too few patients.
        patients: validation patients with images of each class.
    """

    level: float
    log_odds: tuple[float, ...]
    patients: tuple[int, ...]

    def contains(self, log_odds, labels):
        """The set of each image; the label that the image gets is always in it, so no set is empty.

        Args:
            log_odds: float array (n, K), calibrated, of each class against the others.
            labels: int array (n,), class index.

        Returns:
            bool array (n, K).
        """
        log_odds = np.asarray(log_odds, dtype=np.float64)
        return (log_odds >= np.array(self.log_odds)) | (np.arange(log_odds.shape[1]) == np.asarray(labels)[:, None])

    @property
    def needed(self):
        """Patients that a class needs, so that it is not in every set: the least n with (n + 1) level <= n."""
        return math.ceil(self.level / (1 - self.level) - _ROUNDING)


def conformal_threshold(log_odds, patient_ids, *, level=LEVEL):
    """From which log-odds on a class is in the set, so that one of its images, of a new patient, has it at a level.

    Each of the n patients has the same weight, which its images share; the new patient counts as one more, whose image
    may have any log-odds. With one image a patient that is the ceil((n + 1) level)-th highest value.

    The images of a patient are not independent of each other; only patients are. The promise is for one image, drawn
    at random from those of the class of a new patient from the same population.

    Args:
        log_odds: float array (m,), calibrated log-odds of the class, of images of the class.
        patient_ids: array (m,).
        level: 0-1.

    Returns:
        float; ALWAYS where the patients are too few for the level, that is (n + 1) level > n.

    Source: Lee, Barber and Willett (2023), arXiv:2306.06342, hierarchical conformal prediction; for one image a patient
    Vovk, Gammerman and Shafer (2005), label-conditional (Mondrian). Deviations: none.
    """
    log_odds = np.asarray(log_odds, dtype=np.float64)
    names, patient = np.unique(np.asarray(patient_ids), return_inverse=True)
    weights = (1.0 / np.bincount(patient, minlength=len(names)))[patient] if len(names) else np.zeros(0)
    order = np.argsort(-log_odds, kind="stable")
    reached = np.cumsum(weights[order]) >= (len(names) + 1) * level - _ROUNDING
    return float(log_odds[order[np.argmax(reached)]]) if reached.any() else ALWAYS


def fit_sets(views, y_true, patient_ids, *, level=LEVEL):
    """Fit prediction sets on validation images, for each class by itself.

    Sets only grow as a threshold falls. So the lowest threshold of several kinds of views keeps the promise for each.

    Args:
        views: dict name -> list of float arrays (n, K), calibrated log-odds of the same images under each view of this
            kind; a view of an image counts as a further image of its patient.
        y_true: int array (n,), class index.
        patient_ids: array (n,).
        level: 0-1.

    Returns:
        PredictionSets.
    """
    y_true, patient_ids = np.asarray(y_true), np.asarray(patient_ids)
    classes = next(iter(views.values()))[0].shape[1]
    thresholds, patients = [], []
    for k in range(classes):
        own = y_true == k
        ids = patient_ids[own]
        patients.append(len(np.unique(ids)))
        of_views = [
            conformal_threshold(np.concatenate([part[own, k] for part in parts]), np.tile(ids, len(parts)), level=level)
            for parts in views.values()
        ]
        thresholds.append(min(of_views))
    return PredictionSets(float(level), tuple(thresholds), tuple(patients))
