"""AUROC with several images per patient: variance by patient, interval, difference of two models."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata
from scipy.stats import t as student

from medxray.errors import DataError
from medxray.metrics.intervals import estimate

MIN_PATIENTS = 2  # of each kind of images, for a variance
RELIABLE_PATIENTS = 25  # of each kind; with fewer the coverage of the interval was not shown
_NONE_WRONG = 3.0  # "rule of three": 0 events in n leave 3 / n at 95 %
_NO_ERROR = 1e-12


@dataclass(frozen=True, eq=False)
class ClusteredAuroc:
    """An AUROC and what each patient adds to its error.

    Attributes:
        value: AUROC, 0-1.
        influence: float64 array (patients,), in the order of `np.unique(patient_ids)`; the sum of its squares is the
            variance of the AUROC, and that of the products with another model's is their covariance.
        patients: patients with images of the rarer kind.
    """

    value: float
    influence: np.ndarray
    patients: int

    @property
    def error(self):
        """Standard error of the AUROC, by patient."""
        return float(np.sqrt((self.influence**2).sum()))

    @property
    def degrees_of_freedom(self):
        """Degrees of freedom of the standard error, see `degrees_of_freedom`."""
        return degrees_of_freedom(self.influence, self.patients)

    def interval(self, level=0.95):
        """Confidence interval of the AUROC: on the logit scale, with a t quantile.

        At an AUROC of 1 the variance is 0 and says nothing; the lower bound is then 1 - 3 / patients of the rarer kind
        (and at 0 the upper one 3 / patients), which is for 95 %.

        Returns:
            (low, high), 0-1.

        Source: Pepe (2003), section 5.2, for the logit scale; Hanley and Lippman-Hand (1983) for the rule of three.
        """
        bound = min(_NONE_WRONG / self.patients, 1.0)
        if self.value >= 1:
            return 1.0 - bound, 1.0
        if self.value <= 0:
            return 0.0, bound
        if self.error < _NO_ERROR:  # all pairs of equal scores: an AUROC of 0.5 that no resampling moves
            return 0.0, 1.0
        quantile = student.ppf(0.5 + level / 2, self.degrees_of_freedom)
        half = quantile * self.error / (self.value * (1 - self.value))
        return float(expit(logit(self.value) - half)), float(expit(logit(self.value) + half))


def clustered_auroc(is_positive, score, patient_ids):
    """AUROC whose variance counts patients, not images.

    Args:
        is_positive: bool array (n,); `MIN_PATIENTS` patients or more have images of each kind.
        score: float array (n,), higher means more likely positive; equal scores are ties.
        patient_ids: str array (n,).

    Returns:
        ClusteredAuroc.

    Raises:
        DataError: too few patients.

    Source: Obuchowski (1997), Nonparametric analysis of clustered ROC curve data, eq. 2-8; deviations: its three terms
    are the square of one sum per patient, so the factor I / (I - 1) of the mixed term is the geometric mean of the
    factors of positive and negative images.
    """
    is_positive = np.asarray(is_positive, dtype=bool)
    patient, names = patient_index(patient_ids)
    sides = [patient[is_positive], patient[~is_positive]]
    patients = fewest_patients(is_positive, patient)
    if patients < MIN_PATIENTS:
        raise DataError(
            f"An AUROC with an interval needs {MIN_PATIENTS} patients with images of each kind. Received {patients}."
        )
    above, below = placements(is_positive, score)
    value = float(above.mean())
    influence = sum(_sums(part - value, side, names) for part, side in zip((above, below), sides, strict=True))
    return ClusteredAuroc(value, influence, patients)


def auroc_estimate(is_positive, score, patient_ids):
    """AUROC with its interval by patient as JSON (`value`, `ci95`).

    The value is null without images of both kinds, the interval with fewer than `MIN_PATIENTS` patients of a kind.
    Arguments as for `clustered_auroc`.
    """
    is_positive = np.asarray(is_positive, dtype=bool)
    if is_positive.all() or not is_positive.any():
        return estimate(np.nan)
    if fewest_patients(is_positive, patient_ids) < MIN_PATIENTS:
        return estimate(float(placements(is_positive, score)[0].mean()))
    found = clustered_auroc(is_positive, score, patient_ids)
    return estimate(found.value, found.interval())


def mean_auroc_estimate(y_true, scores, patient_ids):
    """The mean AUROC of all classes, each against the others, as JSON like `auroc_estimate`.

    Args:
        y_true: int array (n,), class index.
        scores: float array (n, K).
        patient_ids: str array (n,).

    Returns:
        dict: value, null where a class has no images or all; ci95, null where a class has too few patients.
    """
    sides = [np.asarray(y_true) == k for k in range(scores.shape[1])]
    if any(side.all() or not side.any() for side in sides):
        return estimate(np.nan)
    if min(fewest_patients(side, patient_ids) for side in sides) < MIN_PATIENTS:
        values = [placements(side, scores[:, k])[0].mean() for k, side in enumerate(sides)]
        return estimate(float(np.mean(values)))
    found = mean_auroc([clustered_auroc(side, scores[:, k], patient_ids) for k, side in enumerate(sides)])
    return estimate(found.value, found.interval())


def fewest_patients(is_positive, patient_ids):
    """Patients with images of the rarer kind."""
    is_positive, patient_ids = np.asarray(is_positive, dtype=bool), np.asarray(patient_ids)
    return min(len(np.unique(patient_ids[side])) for side in (is_positive, ~is_positive))


def mean_auroc(parts):
    """The mean of several AUROCs of the same images, such as one for each class, as one ClusteredAuroc."""
    return ClusteredAuroc(
        float(np.mean([part.value for part in parts])),
        np.mean([part.influence for part in parts], axis=0),
        min(part.patients for part in parts),
    )


def patient_index(patient_ids):
    """Index of each image's patient, int64 (n,), and the number of patients."""
    names, index = np.unique(np.asarray(patient_ids), return_inverse=True)
    return index, len(names)


def placements(is_positive, score):
    """Share of the other kind that each image is ranked rightly against.

    Args:
        is_positive: bool array (n,), with images of both kinds.
        score: float array (n,).

    Returns:
        float64 arrays (positive,), (negative,), 0-1: for a positive image the share of negative ones below it, for a
        negative image that of positive ones above it; ties count half.

    Source: DeLong et al. (1988), eq. 4-5, by midranks as Sun and Xu (2014), algorithm 2.
    """
    score = np.asarray(score, dtype=np.float64)
    positive, negative = score[is_positive], score[~is_positive]
    ranks = rankdata(score)
    above = (ranks[is_positive] - rankdata(positive)) / len(negative)
    return above, 1 - (ranks[~is_positive] - rankdata(negative)) / len(positive)


def _sums(values, patient, patients):
    """Sum of the values by patient, as a share of all values, corrected for the number of patients among them."""
    found = len(np.unique(patient))
    return np.bincount(patient, weights=values, minlength=patients) / len(values) * np.sqrt(found / (found - 1))


def degrees_of_freedom(influence, patients):
    """Degrees of freedom of a variance that is the sum of squares of what patients add.

    A variance that two or three patients make up is known badly, whatever the number of the others. With
    e = (sum z^2)^2 / sum z^4 of n patients the variance of s^2 is about s^4 (n / e - 1) / n, which is that of a
    chi-square with 2 e n / (n - e) degrees of freedom.

    Args:
        influence: float array (n,).
        patients: upper limit plus one.

    Returns:
        float, at least 1 and at most patients - 1.

    Source: Satterthwaite (1946), with the fourth moment estimated.
    """
    squares = np.asarray(influence, dtype=np.float64) ** 2
    total, n = squares.sum(), len(squares)
    if total == 0:
        return 1.0
    effective = 1 / ((squares / total) ** 2).sum()
    matched = np.inf if effective >= n else 2 * effective * n / (n - effective)
    return float(np.clip(matched, 1, max(patients - 1, 1)))
