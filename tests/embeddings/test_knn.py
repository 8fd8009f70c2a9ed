"""Nearest-neighbour classification: votes, folds over patients, the choice of k and metric."""

import numpy as np
import pytest
from scipy.special import softmax

from medxray.embeddings.knn import choose_knn, classify, vote_logits
from medxray.errors import DataError


def test_votes_by_hand():
    # 3 of 4 neighbours: (3 + 1) / (4 + 2); none of 4: 1 / 6
    np.testing.assert_allclose(softmax(vote_logits([[1, 3]], 4), axis=1), [[2 / 6, 4 / 6]])
    np.testing.assert_allclose(np.exp(vote_logits([[0, 4, 0]], 4)), [[1 / 7, 5 / 7, 1 / 7]])


def test_classify_by_hand(make_embeddings):
    reference = make_embeddings([[0.0], [1], [2], [10], [11]], [0, 0, 1, 1, 1])
    probability = softmax(classify(reference, np.array([[0.4], [10.4]]), k=3, metric="euclidean"), axis=1)
    np.testing.assert_allclose(probability, [[3 / 5, 2 / 5], [1 / 5, 4 / 5]])
    assert classify(reference, np.zeros((0, 1)), k=3, metric="euclidean").shape == (0, 2)


@pytest.mark.parametrize("k", [2, 3])
def test_out_of_fold_predictions_come_from_other_folds_alone(simulate, k):
    """Each image's prediction is that of a classifier fitted without its patient."""
    found = simulate(60, k)
    choice = choose_knn(found, neighbors=(3,), metrics=("euclidean",))
    from medxray.embeddings.knn import _folds

    for train, held_out in _folds(found, found.y_true, 0):
        assert not set(found.patients[train]) & set(found.patients[held_out])
        expected = classify(found.where(train), found.vectors[held_out], k=3, metric="euclidean")
        np.testing.assert_allclose(choice.logits[held_out], expected)


def test_a_patients_own_images_give_nothing_away(make_embeddings):
    """Vectors that name the patient and nothing else: by images the labels could be read off, by patients not."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(60), 4)
    y_true = rng.permutation(np.arange(60) % 2)[patient]
    vectors = rng.normal(size=(60, 8))[patient] + 0.01 * rng.normal(size=(240, 8))
    choice = choose_knn(make_embeddings(vectors, y_true, patients=patient), neighbors=(1, 3), metrics=("euclidean",))
    assert choice.best.auroc < 0.7


def test_the_metric_that_separates_is_chosen(make_embeddings):
    """Classes differ in direction and lengths are random: only the cosine sees it."""
    rng = np.random.default_rng(1)
    y_true = np.arange(200) % 2
    angle = np.where(y_true, 0.9, 0.6) + 0.03 * rng.normal(size=200)
    length = 10 ** rng.uniform(-3, 3, 200)
    choice = choose_knn(make_embeddings(np.column_stack([np.cos(angle), np.sin(angle)]) * length[:, None], y_true))
    assert choice.best.metric == "cosine" and choice.best.auroc > 0.98


def test_more_noise_asks_for_more_neighbours(simulate):
    assert choose_knn(simulate(400, distance=0.8), metrics=("euclidean",)).best.k > 5


def test_equal_candidates_fall_to_the_lower_nll_then_the_smaller_k(make_embeddings):
    y_true = np.arange(80) % 2
    choice = choose_knn(make_embeddings(y_true * 100.0 + np.arange(80) / 80, y_true), metrics=("euclidean",))
    perfect = [one for one in choice.candidates if one.auroc == 1.0]
    assert len(perfect) > 2 and choice.best.nll == min(one.nll for one in perfect)


def test_candidates_above_the_smallest_fold_are_left_out(simulate):
    choice = choose_knn(simulate(40), metrics=("cosine",))
    assert max(one.k for one in choice.candidates) == 25 and choice.folds == 5


def test_the_same_seed_gives_the_same_choice(simulate):
    found = simulate(80)
    first, second = (choose_knn(found, seed=3, metrics=("cosine",)) for _ in range(2))
    assert first.candidates == second.candidates
    np.testing.assert_array_equal(first.logits, second.logits)


def test_a_class_with_one_patient_is_refused(make_embeddings):
    found = make_embeddings([[0.0], [1], [2], [3]], [0, 0, 1, 1], patients=[0, 1, 2, 2])
    with pytest.raises(DataError, match="at least 2 patients of each class. Class PNEUMONIA has 1"):
        choose_knn(found)
