"""Two models on the same images."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from medxray.errors import DataError
from medxray.metrics.compare import compare_runs, delong, mcnemar
from medxray.metrics.decision import Decision
from medxray.metrics.thresholds import OperatingPoint

AT_HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))


def by_definition(is_positive, scores):
    """DeLong (1988) word for word: structural components from every pair of images."""
    wins = []
    for score in scores:
        x, y = score[is_positive][:, None], score[~is_positive][None, :]
        wins.append((x > y) + 0.5 * (x == y))
    components = [np.array([win.mean(axis=axis) for win in wins]) for axis in (1, 0)]
    covariance = sum(np.cov(values) / values.shape[1] for values in components)
    return np.array([win.mean() for win in wins]), covariance


def test_delong_by_hand():
    # positives 3, 1 against negatives 2, 0: wins 1 1 / 0 1 -> AUROC 3/4, components (1, 1/2) and (1/2, 1)
    auroc, covariance = delong([1, 1, 0, 0], [[3, 1, 2, 0]])
    assert auroc[0] == 0.75
    assert covariance[0, 0] == pytest.approx(0.125 / 2 + 0.125 / 2)


@pytest.mark.parametrize("seed", range(4))
def test_fast_delong_equals_its_definition_with_ties(seed):
    rng = np.random.default_rng(seed)
    is_positive = rng.random(60) < 0.4
    scores = rng.normal(size=(3, 60)).round(1) + is_positive
    auroc, covariance = delong(is_positive, scores)
    expected_auroc, expected_covariance = by_definition(is_positive, scores)
    np.testing.assert_allclose(auroc, expected_auroc)
    np.testing.assert_allclose(covariance, expected_covariance, atol=1e-15)
    np.testing.assert_allclose(auroc, [roc_auc_score(is_positive, score) for score in scores])


def test_delong_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth, hits = norm.cdf(1 / np.sqrt(2)), 0
    for _ in range(400):
        is_positive = np.arange(120) < 60
        auroc, covariance = delong(is_positive, rng.normal(size=(1, 120)) + is_positive)
        hits += abs(auroc[0] - truth) < 1.96 * np.sqrt(covariance[0, 0])
    assert 0.91 < hits / 400 < 0.98


def test_delong_needs_two_images_of_each_kind():
    with pytest.raises(DataError, match="two images of each kind. Received 1 positive and 2 negative"):
        delong([1, 0, 0], [[0.1, 0.2, 0.3]])


def test_mcnemar_by_hand():
    first = np.repeat([1, 1, 0, 0], [50, 10, 2, 8])
    second = np.repeat([1, 0, 1, 0], [50, 10, 2, 8])
    # two-sided binomial: 2 * (1 + 12 + 66) / 2^12
    assert mcnemar(first, second) == {"only_first": 10, "only_second": 2, "p_value": pytest.approx(2 * 79 / 4096)}
    assert mcnemar(first, first) == {"only_first": 0, "only_second": 0, "p_value": 1.0}
    assert mcnemar(second, first)["p_value"] == mcnemar(first, second)["p_value"]


def two_models(simulate, make_predictions, *, n=200, noise=2.0):
    first = simulate(n, skill=1.2)
    rng = np.random.default_rng(9)
    worse = make_predictions(first.y_true, first.logits + rng.normal(scale=noise, size=first.logits.shape))
    return first, worse.where(rng.permutation(n))


def test_comparison_aligns_images_by_path(simulate, make_predictions):
    first, second = two_models(simulate, make_predictions)
    found = compare_runs(first, second, decisions=(AT_HALF, AT_HALF), n_boot=200)
    figures = found["auroc"]["PNEUMONIA"]
    assert figures["first"] == pytest.approx(roc_auc_score(first.y_true, first.raw_probabilities[:, 1]))
    assert figures["second"] == pytest.approx(roc_auc_score(second.y_true, second.raw_probabilities[:, 1]))
    assert figures["difference"] == pytest.approx(figures["first"] - figures["second"])
    assert figures["p_value"] < 0.01 and figures["ci95"][0] > 0 and figures["ci95_by_patient"][0] > 0
    assert found["accuracy"]["first"] > found["accuracy"]["second"]
    assert found["accuracy"]["mcnemar"]["only_first"] > found["accuracy"]["mcnemar"]["only_second"]


def test_swapping_the_models_mirrors_the_difference(simulate, make_predictions):
    first, second = two_models(simulate, make_predictions)
    there = compare_runs(first, second, decisions=(AT_HALF, AT_HALF), n_boot=50)["auroc"]["PNEUMONIA"]
    back = compare_runs(second, first, decisions=(AT_HALF, AT_HALF), n_boot=50)["auroc"]["PNEUMONIA"]
    assert back["difference"] == pytest.approx(-there["difference"]) and back["p_value"] == pytest.approx(
        there["p_value"]
    )
    assert back["ci95"] == pytest.approx([-there["ci95"][1], -there["ci95"][0]])


def test_a_model_against_itself_has_no_difference_and_no_test(simulate):
    part = simulate(100)
    figures = compare_runs(part, part, decisions=(AT_HALF, AT_HALF), n_boot=50)["auroc"]["PNEUMONIA"]
    assert (figures["difference"], figures["p_value"], figures["ci95"]) == (0.0, None, None)
    assert figures["ci95_by_patient"] == [0.0, 0.0]


def test_each_model_is_labelled_by_its_own_decision(simulate):
    part = simulate(100)
    never = Decision(OperatingPoint(1.0, "youden", "val"))
    found = compare_runs(part, part, decisions=(AT_HALF, never), n_boot=50)["accuracy"]
    assert found["second"] == pytest.approx((~part.is_positive).mean()) and found["first"] > found["second"]


def test_three_classes_are_compared_one_by_one(simulate, make_predictions):
    first = simulate(150, 3)
    second = make_predictions(first.y_true, first.logits[:, [0, 2, 1]])
    found = compare_runs(first, second, decisions=(Decision(None),) * 2, n_boot=50)
    assert list(found["auroc"]) == ["NORMAL", "BACTERIAL", "VIRAL"]
    assert found["auroc"]["NORMAL"]["difference"] == pytest.approx(0.0)
    assert found["auroc"]["VIRAL"]["difference"] > 0.3


def test_a_class_without_images_has_nulls(make_predictions):
    part = make_predictions([1, 1, 1], np.random.default_rng(0).normal(size=(3, 2)))
    found = compare_runs(part, part, decisions=(AT_HALF, AT_HALF))
    assert set(found["auroc"]["PNEUMONIA"].values()) == {None}


def test_different_images_labels_or_classes_are_refused(simulate, make_predictions):
    part = simulate(20)
    options = {"decisions": (AT_HALF, AT_HALF)}
    with pytest.raises(DataError, match=r"same images\. Received 20 and 19, different in test/0019\.png"):
        compare_runs(part, part.where(np.arange(19)), **options)
    with pytest.raises(DataError, match=r"same images\. Received 20 and 20, different in a file that is listed twice"):
        twice = part.where(np.append(np.arange(19), 0))
        compare_runs(twice, twice, **options)
    other = make_predictions(1 - part.y_true, part.logits)
    with pytest.raises(DataError, match=r"same true labels\. test/0000\.png is NORMAL in one table and PNEUMONIA"):
        compare_runs(part, other, **options)
    with pytest.raises(DataError, match="same classes in the same order. Received NORMAL, PNEUMONIA and NORMAL, BACT"):
        compare_runs(part, simulate(20, 3), **options)
