"""How well something that is no anatomy predicts the label. No TensorFlow."""

from dataclasses import dataclass

import numpy as np

SHORTCUT_LIMIT = 0.6
_FOLDS = 5


@dataclass(frozen=True)
class SizeProbe:
    """How well width, height and aspect ratio alone predict the class.

    Attributes:
        auroc: cross-validated AUROC (macro one-vs-rest for three or more classes), None when it cannot be told.
        note: why it cannot, or "".
    """

    auroc: float | None
    note: str = ""

    @property
    def warning(self):
        """True when a model could learn the label from the size."""
        return self.auroc is not None and self.auroc > SHORTCUT_LIMIT


def probe_size(sizes, labels, patients):
    """Cross-validated AUROC of gradient-boosted trees on image size.

    Args:
        sizes: int array (n, 2), width and height in pixels.
        labels: int array (n,), class indices.
        patients: str array (n,); a patient is never in both parts of a fold.

    Returns:
        SizeProbe.
    """
    sizes, labels = np.asarray(sizes, np.float64), np.asarray(labels)
    present = np.unique(labels)
    obstacle = probe_obstacle(labels, patients)
    if obstacle:
        return SizeProbe(None, obstacle)
    if (sizes == sizes[0]).all():
        return SizeProbe(0.5, "all images have one size")
    labels = np.searchsorted(present, labels)
    return SizeProbe(_auroc(labels, held_out_scores(size_model, size_features(sizes), labels, patients)))


def size_features(sizes):
    """Width, height and aspect ratio: float64 (n, 3) from width and height in pixels (n, 2)."""
    sizes = np.asarray(sizes, np.float64)
    return np.column_stack([sizes, sizes[:, 0] / sizes[:, 1]])


def probe_obstacle(labels, patients):
    """Why nothing can be cross-validated by patient, or ""."""
    present = np.unique(labels)
    if len(present) < 2:
        return "there is one class only"
    return "a class has fewer than 2 patients" if _folds(labels, patients) < 2 else ""


def size_model(images):
    """An unfitted model of gradient-boosted trees, for so many images."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=8, min_samples_leaf=min(20, max(2, images // 20)), random_state=0
    )


def held_out_scores(make_model, features, labels, patients):
    """Probabilities of the classes, for each image by a model that was fitted without its patient.

    Args:
        make_model: function (number of images) -> unfitted classifier of scikit-learn.
        features: float array (n, c).
        labels: int array (n,), 0 to K - 1, each of them there.
        patients: str array (n,).

    Returns:
        float64 array (n, K).
    """
    from sklearn.model_selection import StratifiedGroupKFold

    scores = np.zeros((len(labels), labels.max() + 1))
    splitter = StratifiedGroupKFold(_folds(labels, patients), shuffle=True, random_state=0)
    for train, held_out in splitter.split(features, labels, patients):
        found = fitted_scores(make_model, features[train], labels[train], features[held_out])
        scores[held_out, : found.shape[1]] = found
    return scores


def fitted_scores(make_model, features, labels, others):
    """Probabilities of the classes for other images, by a model fitted on some.

    Args:
        make_model: as for `held_out_scores`.
        features: float array (n, c), to fit on.
        labels: int array (n,), class index.
        others: float array (m, c).

    Returns:
        float64 array (m, highest label + 1).
    """
    from threadpoolctl import threadpool_limits

    scores = np.zeros((len(others), labels.max() + 1))
    with threadpool_limits(1):  # small models: threads that wait for each other cost more than they give
        model = make_model(len(features)).fit(features, labels)
        scores[:, model.classes_] = model.predict_proba(others)
    return scores


def _folds(labels, patients):
    return min(_FOLDS, *(len(np.unique(np.asarray(patients)[labels == label])) for label in np.unique(labels)))


def _auroc(labels, scores):
    from sklearn.metrics import roc_auc_score

    if scores.shape[1] == 2:
        return float(roc_auc_score(labels, scores[:, 1]))
    return float(np.mean([roc_auc_score(labels == label, scores[:, label]) for label in range(scores.shape[1])]))
