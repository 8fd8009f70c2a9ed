"""All figures of one split as one function of image weights: what the report states and the bootstrap resamples."""

import numpy as np

from medxray.metrics import metrics
from medxray.metrics.reliability import brier_terms, nll_terms

PREVALENCES = (0.01, 0.05, 0.10, 0.25, 0.50)


def class_scores(probabilities):
    """Scores that rank images for each class: (n, K) probabilities -> float64 (n, K).

    With two classes the first column is the exact opposite of the second, so both AUROCs agree to the last bit.
    """
    if probabilities.shape[1] == 2:
        return np.stack([-probabilities[:, 1], probabilities[:, 1]], axis=1)
    return probabilities


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
        self.y_pred = decision.labels(probabilities)
        self.y_half = (probabilities[:, -1] >= 0.5).astype(np.int64)
        self._terms = np.stack(
            [
                brier_terms(probabilities, self.y_true),
                nll_terms(predictions.log_probabilities(decision.calibration), self.y_true),
            ],
            axis=1,
        )
        scores = class_scores(probabilities)
        self._rankings = [metrics.Ranking(self.y_true == k, scores[:, k]) for k in range(self.n_classes)]

    def __call__(self, weights):
        """Every figure for each row of weights.

        Args:
            weights: float array (B, n), how often each image counts.

        Returns:
            dict of float64 arrays: (B,) for a figure of the split, (B, K) for "class.<figure>", (B, prevalences) for
            "ppv_at" and "npv_at"; "half.<figure>" belong to the threshold 0.5. Undefined figures are nan.
        """
        matrix = self.matrix(self.y_pred, weights)
        figures = self._labelled(matrix) | self._ranked(weights) | self._averaged(weights)
        if self.binary:
            half = self._labelled(self.matrix(self.y_half, weights))
            figures |= {f"half.{name}": value for name, value in half.items() if not name.startswith("class.")}
            sensitivity, specificity = figures["sensitivity"][:, None], figures["specificity"][:, None]
            figures["ppv_at"], figures["npv_at"] = metrics.ppv_npv(sensitivity, specificity, np.array(PREVALENCES))
        return figures

    def matrix(self, y_pred, weights):
        """Confusion matrices (B, K, K) of the given labels."""
        return metrics.confusion(self.y_true, y_pred, self.n_classes, weights=weights)

    def _labelled(self, matrix):
        """Figures that depend on labels only: of the positive class, or the mean over three or more classes."""
        by_class = metrics.class_metrics(matrix)
        figures = {name: self._overall(value) for name, value in by_class.items()}
        figures |= {f"class.{name}": value for name, value in by_class.items()}
        figures["accuracy"] = metrics.accuracy(matrix)
        figures["balanced_accuracy"] = metrics.balanced_accuracy(matrix)
        figures["mcc"] = metrics.mcc(matrix)
        return figures

    def _ranked(self, weights):
        areas = [ranking.areas(weights) for ranking in self._rankings]
        auroc, precision = (np.stack(values, axis=1) for values in zip(*areas, strict=True))
        return {
            "auroc": self._overall(auroc),
            "average_precision": self._overall(precision),
            "class.auroc": auroc,
            "class.average_precision": precision,
        }

    def _averaged(self, weights):
        total = weights.sum(axis=1, keepdims=True)
        mean = np.divide(weights @ self._terms, total, out=np.full((len(weights), 2), np.nan), where=total > 0)
        return {"brier": mean[:, 0], "nll": mean[:, 1]}

    def _overall(self, by_class):
        return by_class[:, -1] if self.binary else by_class.mean(axis=1)
