"""All figures of one split as one function of image weights: what the report states and the bootstrap resamples."""

from typing import NamedTuple

import numpy as np

from medxray.metrics import metrics
from medxray.metrics.reliability import brier_terms, nll_terms

PREVALENCES = (0.01, 0.05, 0.10, 0.25, 0.50)
SPLIT, AT_HALF, EACH_CLASS, AT_PREVALENCES = "split", "threshold 0.5", "class", "prevalence"


class FigureKey(NamedTuple):
    """Which figure of a split.

    Attributes:
        name: such as "auroc".
        of: SPLIT: of the split; AT_HALF: with the labels of the threshold 0.5; EACH_CLASS: of each class against the
            others; AT_PREVALENCES: at each of PREVALENCES.
    """

    name: str
    of: str = SPLIT


class SplitStatistics:
    """Figures of one split under any weighting of its images; ranks and per-image terms are computed once."""

    def __init__(self, predictions, decision):
        """Sort the images and label them.

        Args:
            predictions: `Predictions`.
            decision: `Decision` that gives probabilities and labels.
        """
        self.binary = predictions.is_binary
        self.y_true = predictions.y_true
        self.n_classes = len(predictions.classes)
        probabilities = predictions.probabilities(decision.calibration)
        log_odds = predictions.log_odds(decision.calibration)
        self.y_pred = decision.labels(predictions.logits)
        self.y_half = (log_odds[:, -1] >= 0).astype(np.int64)
        self._terms = np.stack(
            [
                brier_terms(probabilities, self.y_true),
                nll_terms(predictions.log_probabilities(decision.calibration), self.y_true),
            ],
            axis=1,
        )
        self._rankings = [metrics.Ranking(self.y_true == k, log_odds[:, k]) for k in range(self.n_classes)]

    def __call__(self, weights):
        """Every figure for each row of weights.

        Args:
            weights: float array (B, n), how often each image counts.

        Returns:
            dict FigureKey -> float64 array: (B, K) for EACH_CLASS, (B, prevalences) for "ppv" and "npv" at
            AT_PREVALENCES, else (B,). Undefined figures are nan.
        """
        matrix = self.matrix(self.y_pred, weights)
        by_class = metrics.class_metrics(matrix) | self._ranked(weights)
        overall = {name: self._overall(value) for name, value in by_class.items()}
        overall |= _of_labels(matrix) | self._averaged(weights)
        figures = _keyed(overall, SPLIT) | _keyed(by_class, EACH_CLASS)
        if self.binary:
            figures |= _keyed(self._at_half(weights), AT_HALF)
            figures |= _keyed(_at_prevalences(overall["sensitivity"], overall["specificity"]), AT_PREVALENCES)
        return figures

    def matrix(self, y_pred, weights):
        """Confusion matrices (B, K, K) of the given labels."""
        return metrics.confusion(self.y_true, y_pred, self.n_classes, weights=weights)

    def _at_half(self, weights):
        matrix = self.matrix(self.y_half, weights)
        by_class = metrics.class_metrics(matrix)
        return {name: self._overall(value) for name, value in by_class.items()} | _of_labels(matrix)

    def _ranked(self, weights):
        """Areas under the curves of each class, (B, K)."""
        areas = [ranking.areas(weights) for ranking in self._rankings]
        auroc, precision = (np.stack(values, axis=1) for values in zip(*areas, strict=True))
        return {"auroc": auroc, "average_precision": precision}

    def _averaged(self, weights):
        total = weights.sum(axis=1, keepdims=True)
        mean = np.divide(weights @ self._terms, total, out=np.full((len(weights), 2), np.nan), where=total > 0)
        return {"brier": mean[:, 0], "nll": mean[:, 1]}

    def _overall(self, by_class):
        """(B, K) -> (B,): of the positive class, or the mean over three or more classes."""
        return by_class[:, -1] if self.binary else by_class.mean(axis=1)


def _keyed(figures, of):
    return {FigureKey(name, of): value for name, value in figures.items()}


def _of_labels(matrix):
    """Figures of all classes together that depend on labels only."""
    return {
        "accuracy": metrics.accuracy(matrix),
        "balanced_accuracy": metrics.balanced_accuracy(matrix),
        "mcc": metrics.mcc(matrix),
    }


def _at_prevalences(sensitivity, specificity):
    ppv, npv = metrics.ppv_npv(sensitivity[:, None], specificity[:, None], np.array(PREVALENCES))
    return {"ppv": ppv, "npv": npv}
