"""Classification by nearest neighbours: k and metric by cross-validation over patients. No TensorFlow."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier

from medxray.embeddings.neighborhood import METRICS, nearest
from medxray.errors import DataError
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.predictions import Predictions
from medxray.metrics.statistics import FigureKey, SplitStatistics
from medxray.system import progress

NEIGHBORS = (1, 3, 5, 9, 15, 25, 51, 101, 201)
FOLDS = 5
REFERENCE = ("train", "val")


@dataclass(frozen=True)
class Candidate:
    """One k and metric with what cross-validation said about it.

    Attributes:
        k: neighbours that vote.
        metric: one of `neighborhood.METRICS`.
        auroc: of all out-of-fold predictions together; mean over the classes with three or more.
        nll: mean negative log-likelihood of them in nats.
    """

    k: int
    metric: str
    auroc: float
    nll: float


@dataclass(frozen=True, eq=False)
class Choice:
    """What cross-validation chose, and what it saw.

    Attributes:
        best: Candidate.
        candidates: all of them, in the order tried.
        folds: number of folds.
        seed: of the folds.
        logits: float64 array (n, K), out-of-fold logits of the best candidate for each row.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    folds: int
    seed: int
    logits: np.ndarray


def vote_logits(votes, k):
    """Votes of k neighbours as logits: the logarithm of (votes + 1) / (k + K).

    Args:
        votes: array (n, K), neighbours of each class.
        k: their number.

    Returns:
        float64 array (n, K); the softmax of them is the smoothed share of votes, never 0 or 1.

    Source: Laplace's rule of succession (1774); deviations: none.
    """
    votes = np.asarray(votes, np.float64)
    return np.log((votes + 1) / (k + votes.shape[1]))


def choose_knn(reference, *, seed=0, neighbors=NEIGHBORS, metrics=METRICS):
    """Choose k and metric by stratified cross-validation in which each patient is in one fold.

    The candidate with the highest out-of-fold AUROC wins; among equals the one with the lowest negative
    log-likelihood, then the smallest k.

    Args:
        reference: Embeddings to choose on.
        seed: of the folds.
        neighbors: values of k to try; those above the smallest training part are left out.
        metrics: metrics to try.

    Returns:
        Choice.

    Raises:
        DataError: a class has images of fewer than two patients.
    """
    y_true = reference.y_true
    folds = _folds(reference, y_true, seed)
    largest = min(len(train) for train, _ in folds)
    tried = [k for k in neighbors if k <= largest]
    candidates, logits = [], {}
    for metric in progress.each(metrics, len(metrics), "Cross-validation"):
        votes = _out_of_fold_votes(reference.vectors, y_true, folds=folds, neighbors=tried, metric=metric)
        for k in tried:
            logits[metric, k] = vote_logits(votes[k], k)
            candidates.append(_candidate(reference, logits[metric, k], k=k, metric=metric))
    best = min(candidates, key=lambda one: (-one.auroc, one.nll, one.k))
    return Choice(best, tuple(candidates), len(folds), seed, logits[best.metric, best.k])


def _folds(reference, y_true, seed):
    patients = [len(np.unique(reference.patients[y_true == index])) for index in range(len(reference.classes))]
    if min(patients) < 2:
        name = reference.classes[int(np.argmin(patients))]
        raise DataError(
            f"Cross-validation needs images of at least 2 patients of each class. Class {name} has {min(patients)} in "
            f"the splits {' and '.join(REFERENCE)}. Extract more images."
        )
    count = min(FOLDS, *patients)
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    return [parts for parts in splitter.split(reference.vectors, y_true, reference.patients) if len(parts[1])]


def _out_of_fold_votes(vectors, y_true, *, folds, neighbors, metric):
    """Votes of the k nearest rows of the other folds, dict k -> float64 (n, K): one search serves every k."""
    classes = int(y_true.max()) + 1
    votes = {k: np.zeros((len(vectors), classes)) for k in neighbors}
    for train, held_out in folds:
        _, rows = nearest(vectors[held_out], vectors[train], k=max(neighbors), metric=metric)
        counted = np.cumsum(np.eye(classes)[y_true[train][rows]], axis=1)
        for k in neighbors:
            votes[k][held_out] = counted[:, k - 1]
    return votes


def _candidate(reference, logits, *, k, metric):
    predictions = knn_predictions(reference, logits, split="out of fold")
    plain = Decision(DEFAULT_POINT if predictions.is_binary else None)
    figures = SplitStatistics(predictions, plain)(np.ones((1, len(reference))))
    auroc, nll = (float(figures[FigureKey(name)][0]) for name in ("auroc", "nll"))
    return Candidate(k, metric, auroc, nll)


def classify(reference, vectors, *, k, metric):
    """Logits of vectors by the votes of their k nearest reference images.

    Args:
        reference: Embeddings with images of every class.
        vectors: float array (n, d).
        k: neighbours that vote, at most the number of reference images.
        metric: one of `neighborhood.METRICS`.

    Returns:
        float64 array (n, K), see `vote_logits`.
    """
    if not len(vectors):
        return np.zeros((0, len(reference.classes)))
    classifier = KNeighborsClassifier(n_neighbors=k, metric=metric, algorithm="brute")
    classifier.fit(np.asarray(reference.vectors, np.float64), reference.y_true)
    return vote_logits(np.rint(classifier.predict_proba(np.asarray(vectors, np.float64)) * k), k)


def knn_predictions(embeddings, logits, *, split):
    """The facts about some images and their logits as `Predictions` of a split."""
    subtypes = tuple(map(str, embeddings.subtypes))
    return Predictions(
        paths=tuple(map(str, embeddings.ids)),
        patient_ids=embeddings.patients,
        y_true=embeddings.y_true,
        logits=logits,
        classes=embeddings.classes,
        positive=embeddings.positive,
        split=split,
        subtypes=subtypes if any(subtypes) else None,
    )
