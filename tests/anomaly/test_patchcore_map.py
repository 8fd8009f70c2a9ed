"""PatchCore's layers against distances and scores by hand, numpy and scikit-learn."""

import keras
import numpy as np
import pytest

from medxray.anomaly import patchcore
from medxray.anomaly.patchcore import fit_patchcore, images_at_once, patchcore_map, reference_distances
from tests.fixtures.patches import array_patches


def compute(patches, bank, neighbors):
    patches = np.asarray(patches, np.float32)
    tensor = keras.Input(patches.shape[1:])
    model = keras.Model(tensor, patchcore_map(tensor, bank=bank, neighbors=neighbors))
    return [output.numpy() for output in model(patches)]


def test_map_and_score_by_hand():
    bank = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 1.0]])
    patches = [[[[0.0, 1.0], [13.0, -4.0]]]]  # nearest: (0,0) at 1; (10,0) at 5, whose neighbour (10,1) is at sqrt(34)
    distances, score = compute(patches, bank, [[0, 1], [1, 2], [2, 1]])
    np.testing.assert_allclose(distances, [[[1.0, 5.0]]], rtol=1e-5)
    weight = 1 - np.exp(5) / (np.exp(5) + np.exp(np.sqrt(34)))
    np.testing.assert_allclose(score, [[5 * weight]], rtol=1e-5)


def test_score_counts_more_where_the_nearest_vector_is_rare():
    lonely, crowded = np.array([[0.0], [50.0]]), np.array([[0.0], [-0.1]])
    near = [[0, 1], [1, 0]]
    alone, among = compute([[[[2.0]]]], lonely, near)[1], compute([[[[2.0]]]], crowded, near)[1]
    assert alone[0, 0] == pytest.approx(2.0, rel=1e-5)
    assert among[0, 0] == pytest.approx(2 * (1 - 1 / (1 + np.exp(0.1))), rel=1e-4)


def test_large_distances_do_not_overflow():
    distances, score = compute([[[[1e4]]]], np.array([[0.0], [1.0]]), [[0, 1], [1, 0]])
    assert distances[0, 0, 0] == pytest.approx(9999)
    assert score[0, 0] == pytest.approx(9999 * (1 - 1 / (1 + np.e)), rel=1e-3)


def test_a_bank_of_one_vector_gives_the_distance_itself():
    distances, score = compute([[[[3.0, 4.0], [0.0, 0.0]]]], np.zeros((1, 2)), [[0]])
    np.testing.assert_allclose(distances, [[[5.0, 0.0]]])
    np.testing.assert_allclose(score, [[5.0]])


def test_layers_agree_with_scikit_learn_and_with_equation_7_in_numpy():
    rng = np.random.default_rng(0)
    fit = fit_patchcore(array_patches(rng.normal(100, 1, (8, 4, 4, 6))), share=0.5)
    patches = rng.normal(100, 2, (5, 4, 4, 6)).astype(np.float32)
    distances, score = compute(patches, fit.bank, fit.neighbors)
    expected = reference_distances(patches, fit.bank)
    np.testing.assert_allclose(distances, expected, rtol=1e-4)
    for image in range(5):
        vector = patches[image].reshape(16, 6)[expected[image].argmax()]
        to_bank = np.linalg.norm(fit.bank - vector, axis=1)
        exponentials = np.exp(to_bank[fit.neighbors[to_bank.argmin()]])
        weight = 1 - np.exp(to_bank.min()) / exponentials.sum()
        assert score[image, 0] == pytest.approx(weight * to_bank.min(), rel=1e-4)


def test_images_are_taken_as_the_memory_for_their_products_allows(monkeypatch):
    image = keras.Input((2, 3, 4))
    model = keras.Model(image, patchcore_map(image, bank=np.eye(4), neighbors=[[0], [1], [2], [3]])[0])
    assert images_at_once(model, 32) == 32 == images_at_once(keras.Model(image, image), 32)
    for limit, expected in ((4 * 6 * 4 * 5, 5), (4 * 6 * 4 * 5 - 1, 4), (1, 1)):  # bytes * positions * bank * images
        monkeypatch.setattr(patchcore, "_PRODUCTS", limit)
        assert images_at_once(model, 32) == expected
