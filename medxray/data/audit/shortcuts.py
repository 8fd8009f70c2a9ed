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
    if len(present) < 2:
        return SizeProbe(None, "there is one class only")
    if (sizes == sizes[0]).all():
        return SizeProbe(0.5, "all images have one size")
    folds = min(_FOLDS, *(len(np.unique(patients[labels == label])) for label in present))
    if folds < 2:
        return SizeProbe(None, "a class has fewer than 2 patients")
    features = np.column_stack([sizes, sizes[:, 0] / sizes[:, 1]])
    return SizeProbe(_cross_validated(features, np.searchsorted(present, labels), patients, folds=folds))


def _cross_validated(features, labels, patients, *, folds):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    scores = np.zeros((len(labels), labels.max() + 1))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for train, held_out in splitter.split(features, labels, patients):
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=8, min_samples_leaf=min(20, max(2, len(train) // 20)), random_state=0
        )
        with threadpool_limits(1):  # small trees: threads that wait for each other cost more than they give
            model.fit(features[train], labels[train])
            scores[np.ix_(held_out, model.classes_)] = model.predict_proba(features[held_out])
    if scores.shape[1] == 2:
        return float(roc_auc_score(labels, scores[:, 1]))
    return float(np.mean([roc_auc_score(labels == label, scores[:, label]) for label in range(scores.shape[1])]))
