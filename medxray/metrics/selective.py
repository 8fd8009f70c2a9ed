"""Selective prediction: answers only where the model is sure, with a bound of the error among answered patients."""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

CONFIDENCE = 0.9
RISKS = (0.05, 0.01)  # errors among answered patients that reports show; the first one is that of the exported graph
THRESHOLDS = (-math.inf, *(number / 2 for number in range(21)))  # all images, then log-odds 0, 0.5, ... 10
SEED = 0  # of the image and view of each patient
_ROUNDING = 1e-12


def binomial_bound(wrong, answered, *, delta):
    """Upper bound of an error rate by inverting the tail of the binomial distribution.

    It is the rate at which no more than so many errors have the probability delta.

    Args:
        wrong: int array or number, errors.
        answered: int array or number, independent trials.
        delta: the probability that the bound is too low, 0-1.

    Returns:
        float64 array or number, 0-1; 1 where nothing is answered or all is wrong.

    Source: Geifman and El-Yaniv (2017), lemma 3.1, after Gascuel and Caraux (1992); by the beta distribution as
    Clopper and Pearson (1934). Deviations: none.
    """
    wrong, answered = np.asarray(wrong, dtype=np.float64), np.asarray(answered, dtype=np.float64)
    right = answered - wrong
    return np.where(right > 0, beta.ppf(1 - delta, wrong + 1, np.maximum(right, 1)), 1.0)[()]


@dataclass(frozen=True)
class Counts:
    """Validation patients that are answered at each threshold, and those of them that are answered wrongly."""

    answered: tuple[int, ...]
    wrong: tuple[int, ...]


@dataclass(frozen=True)
class AbstainPoint:
    """A threshold that keeps an error.

    Attributes:
        risk: the error that was asked for, among answered patients, 0-1.
        log_odds: an image is answered from these calibrated log-odds of its label on; -inf: every image is.
        bound: upper bound of the error, the highest of all views, 0-1.
        coverage: dict view -> share of validation patients that are answered.
    """

    risk: float
    log_odds: float
    bound: float
    coverage: dict


@dataclass(frozen=True)
class Abstention:
    """What was counted on validation patients, from which a threshold for any error follows.

    Attributes:
        confidence: with which all bounds hold together.
        log_odds: the thresholds that are searched, rising; they were fixed before any image was seen.
        patients: validation patients.
        counts: dict view -> Counts, aligned with `log_odds`.
    """

    confidence: float
    log_odds: tuple[float, ...]
    patients: int
    counts: dict

    def bounds(self):
        """Upper bounds of the error at each threshold: dict view -> float64 array.

        All of them hold together with the confidence: each gets an equal part of what may go wrong.
        """
        delta = (1 - self.confidence) / (len(self.log_odds) * len(self.counts))
        return {name: binomial_bound(part.wrong, part.answered, delta=delta) for name, part in self.counts.items()}

    def point(self, risk):
        """The AbstainPoint that answers most patients with an error of at most `risk` on all views, or None."""
        highest = self._highest()
        met = np.flatnonzero(highest <= risk + _ROUNDING)
        if not len(met):
            return None
        first = int(met[0])
        coverage = {name: part.answered[first] / self.patients for name, part in self.counts.items()}
        return AbstainPoint(float(risk), self.log_odds[first], float(highest[first]), coverage)

    def lowest_risk(self):
        """The lowest error that can be kept, rounded up to 0.1 %; None where it is not below 50 %."""
        lowest = math.ceil(1000 * float(self._highest().min()) - _ROUNDING) / 1000
        return lowest if lowest < 0.5 else None

    def _highest(self):
        return np.max(list(self.bounds().values()), axis=0)


def label_log_odds(log_odds, labels):
    """How sure an image is of its label: the calibrated log-odds of the label against the other classes.

    Args:
        log_odds: float array (n, K).
        labels: int array (n,), class index.

    Returns:
        float64 array (n,).

    Source: Chow (1970): the least errors for a given number of answers come from the probability of the label.
    """
    return np.asarray(log_odds, dtype=np.float64)[np.arange(len(labels)), labels]


def fit_abstention(views, y_true, patient_ids, paths, *, confidence=CONFIDENCE, thresholds=THRESHOLDS):
    """Count answered and wrong patients at each threshold.

    One image of each patient is drawn, and one view of it, so that what is counted is independent and errors are
    binomial. The thresholds do not depend on the images, so the union bound over them holds whichever is used.

    Args:
        views: dict name -> list of (sureness, labels) of the same images under each view of this kind: float array (n,)
            of `label_log_odds`, and int array (n,).
        y_true: int array (n,), class index.
        patient_ids: array (n,).
        paths: tuple of n texts, so that what is drawn does not depend on the order of the rows.
        confidence: with which all bounds hold together, 0-1.
        thresholds: rising floats.

    Returns:
        Abstention.

    Source: Geifman and El-Yaniv (2017), Selective classification for deep neural networks, algorithm 1 (SGR);
    deviations: the searched thresholds are fixed beforehand instead of found by halving, whose places depend on the
    images, and there is one image for each patient (Dunn, Wasserman and Ramdas 2022, single subsampling).
    """
    y_true = np.asarray(y_true)
    counts = {}
    for name, parts in views.items():
        rows, view = one_of_each_patient(patient_ids, paths, views=len(parts))
        sure = np.stack([part[0] for part in parts])[view, rows]
        wrong = np.stack([part[1] for part in parts])[view, rows] != y_true[rows]
        answered = [sure >= threshold for threshold in thresholds]
        counts[name] = Counts(
            tuple(int(mask.sum()) for mask in answered), tuple(int((mask & wrong).sum()) for mask in answered)
        )
    return Abstention(float(confidence), tuple(thresholds), len(np.unique(np.asarray(patient_ids))), counts)


def one_of_each_patient(patient_ids, paths, *, views=1, seed=SEED):
    """Draw one image of each patient, and one of several views of it.

    Args:
        patient_ids: array (n,).
        paths: n texts.
        views: how many views of each image there are.
        seed: int, at least 0.

    Returns:
        (rows, views): int64 arrays, one entry for each patient in the order of their ids.
    """
    patient_ids = np.asarray(patient_ids, dtype=str)
    order = np.lexsort((np.asarray(paths, dtype=str), patient_ids))
    rows, chosen = [], []
    names, starts = np.unique(patient_ids[order], return_index=True)
    for name, members in zip(names, np.split(order, starts)[1:], strict=True):
        rng = np.random.default_rng([seed, zlib.crc32(str(name).encode("utf-8", "surrogateescape"))])
        rows.append(members[rng.integers(len(members))])
        chosen.append(rng.integers(views))
    return np.array(rows, dtype=np.int64), np.array(chosen, dtype=np.int64)
