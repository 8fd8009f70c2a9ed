"""Two models on the same images."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medxray.errors import DataError
from medxray.metrics.compare import compare_runs
from medxray.metrics.decision import Decision
from medxray.metrics.thresholds import OperatingPoint

AT_HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))


def two_models(simulate, *, n=200, noise=2.0):
    first = simulate(n, skill=1.2)
    rng = np.random.default_rng(9)
    worse = replace(first, logits=first.logits + rng.normal(scale=noise, size=first.logits.shape))
    return first, worse.where(rng.permutation(n))


def test_comparison_aligns_images_by_path(simulate, make_predictions):
    first, second = two_models(simulate)
    found = compare_runs(first, second, decisions=(AT_HALF, AT_HALF), draws=499)
    figures = found["auroc"]["PNEUMONIA"]
    assert figures["first"] == pytest.approx(roc_auc_score(first.y_true, first.raw_probabilities[:, 1]))
    assert figures["second"] == pytest.approx(roc_auc_score(second.y_true, second.raw_probabilities[:, 1]))
    assert figures["difference"] == pytest.approx(figures["first"] - figures["second"])
    assert figures["p_value"] < 0.01 and figures["ci95"][0] > 0
    assert figures["p_value_permutation"] < 0.02
    assert found["accuracy"]["first"] > found["accuracy"]["second"]
    assert found["accuracy"]["only_first"] > found["accuracy"]["only_second"]


def test_swapping_the_models_mirrors_the_difference(simulate, make_predictions):
    first, second = two_models(simulate)
    there = compare_runs(first, second, decisions=(AT_HALF, AT_HALF), draws=99)["auroc"]["PNEUMONIA"]
    back = compare_runs(second, first, decisions=(AT_HALF, AT_HALF), draws=99)["auroc"]["PNEUMONIA"]
    assert back["difference"] == pytest.approx(-there["difference"]) and back["p_value"] == pytest.approx(
        there["p_value"]
    )
    assert back["ci95"] == pytest.approx([-there["ci95"][1], -there["ci95"][0]])


def test_a_model_against_itself_has_no_difference_and_no_test(simulate):
    part = simulate(100)
    figures = compare_runs(part, part, decisions=(AT_HALF, AT_HALF), draws=99)["auroc"]["PNEUMONIA"]
    assert (figures["difference"], figures["p_value"], figures["ci95"]) == (0.0, None, None)
    assert figures["p_value_permutation"] == 1.0


def test_each_model_is_labelled_by_its_own_decision(simulate):
    part = simulate(100)
    never = Decision(OperatingPoint(1.0, "youden", "val"))
    found = compare_runs(part, part, decisions=(AT_HALF, never), draws=99)["accuracy"]
    assert found["second"] == pytest.approx((~part.is_positive).mean()) and found["first"] > found["second"]


def test_three_classes_are_compared_one_by_one(simulate, make_predictions):
    first = simulate(150, 3)
    second = replace(first, logits=first.logits[:, [0, 2, 1]])
    found = compare_runs(first, second, decisions=(Decision(None),) * 2, draws=99)
    assert list(found["auroc"]) == ["NORMAL", "BACTERIAL", "VIRAL"]
    assert found["auroc"]["NORMAL"]["difference"] == pytest.approx(0.0)
    assert found["auroc"]["VIRAL"]["difference"] > 0.3


def test_a_class_without_images_has_nulls(make_predictions):
    part = make_predictions([1, 1, 1], np.random.default_rng(0).normal(size=(3, 2)))
    found = compare_runs(part, part, decisions=(AT_HALF, AT_HALF))
    assert set(found["auroc"]["PNEUMONIA"].values()) == {None}


def test_different_images_labels_or_classes_are_refused(simulate, make_predictions):
    part = simulate(20)
    options = {"decisions": (AT_HALF, AT_HALF), "draws": 9}
    with pytest.raises(DataError, match=r"same images\. Received 20 and 19, different in test/0019\.png"):
        compare_runs(part, part.where(np.arange(19)), **options)
    with pytest.raises(DataError, match=r"same images\. Received 20 and 20, different in a file that is listed twice"):
        twice = part.where(np.append(np.arange(19), 0))
        compare_runs(twice, twice, **options)
    with pytest.raises(DataError, match=r"same patients\. test/0000\.png is of p\d+ in one table and of someone"):
        compare_runs(part, replace(part, patient_ids=np.full(20, "someone")), **options)
    other = replace(part, y_true=1 - part.y_true)
    with pytest.raises(DataError, match=r"same true labels\. test/0000\.png is NORMAL in one table and PNEUMONIA"):
        compare_runs(part, other, **options)
    with pytest.raises(DataError, match="same classes in the same order. Received NORMAL, PNEUMONIA and NORMAL, BACT"):
        compare_runs(part, simulate(20, 3), **options)
