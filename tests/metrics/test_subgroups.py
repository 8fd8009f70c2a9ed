"""Figures for parts of a split."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medxray.metrics.decision import Decision
from medxray.metrics.subgroups import MOST_SUBTYPES, frequent_subtypes, subgroup_report
from medxray.metrics.thresholds import OperatingPoint

AT_HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))


def measured(n, width=100, height=100, brightness=128.0):
    return pd.DataFrame({"width": np.full(n, width), "height": height, "brightness": np.full(n, brightness)})


def test_sensitivity_of_each_subtype_is_counted_on_its_images(simulate):
    part = simulate(200)
    report, _ = subgroup_report(part, AT_HALF)
    called = part.raw_probabilities[:, 1] >= 0.5
    assert set(report["subtype"]) == {"bacteria", "virus"}
    for name, figures in report["subtype"].items():
        members = np.array(part.subtypes) == name
        assert figures["n"] == figures["n_positive"] == members.sum()
        assert figures["n_patients"] == len(np.unique(part.patient_ids[members]))
        assert figures["sensitivity"]["value"] == pytest.approx(called[members].mean())


def test_auroc_of_a_subtype_is_against_all_negative_images(simulate):
    part = simulate(200, skill=1.0)
    report, _ = subgroup_report(part, AT_HALF)
    rows = (np.array(part.subtypes) == "virus") | ~part.is_positive
    found = report["subtype"]["virus"]["auroc"]
    assert found["value"] == pytest.approx(roc_auc_score(part.is_positive[rows], part.raw_probabilities[:, 1][rows]))
    assert found["ci95"][0] < found["value"] < found["ci95"][1]
    assert "specificity" not in report["subtype"]["virus"]


def test_of_many_subtypes_the_most_frequent_are_given_and_the_rest_is_told(simulate):
    part = simulate(200)
    names = [f"s{n % 12}" if n % 12 < 9 or n < 100 else "s0" for n in range(200)]
    part = replace(
        part, subtypes=tuple(name if sick else "" for name, sick in zip(names, part.is_positive, strict=True))
    )
    report, notes = subgroup_report(part, AT_HALF)
    assert list(report["subtype"]) == frequent_subtypes(part.subtypes) and len(report["subtype"]) == MOST_SUBTYPES
    assert {f"s{n}" for n in range(9)} <= set(report["subtype"])
    assert "Of 12 finer labels the 10 most frequent are given as subgroups." in notes


def test_quarters_cover_all_images_once_in_ascending_order(simulate):
    part = simulate(80)
    stats = measured(80).assign(width=np.random.default_rng(0).permutation(80) + 10)
    report, notes = subgroup_report(part, AT_HALF, image_stats=stats)
    quarters = report["image_size"]
    assert list(quarters) == ["q1", "q2", "q3", "q4"]
    assert [quarter["n"] for quarter in quarters.values()] == [20] * 4
    ranges = [edge for quarter in quarters.values() for edge in quarter["range"]]
    assert ranges == sorted(ranges) and ranges[0] == 1000.0 and ranges[-1] == 8900.0
    assert sum(quarter["n_positive"] for quarter in quarters.values()) == part.is_positive.sum()
    assert report["brightness"] == {} and "by brightness are not given: it is the same" in notes[0]


def test_a_part_is_evaluated_on_its_own_images(make_predictions):
    y_true = np.tile([0, 1], 40)
    dark = np.arange(80) < 40
    logits = np.where(dark[:, None], 1, -1) * 4.0 * np.eye(2)[y_true]  # right when dark, wrong when bright
    stats = measured(80).assign(brightness=np.where(dark, 50.0, 200.0))
    report, _ = subgroup_report(make_predictions(y_true, logits), AT_HALF, image_stats=stats)
    first, last = report["brightness"].values()
    assert (first["auroc"]["value"], last["auroc"]["value"]) == (1.0, 0.0)
    assert (first["accuracy"]["value"], last["accuracy"]["value"]) == (1.0, 0.0)
    assert (first["specificity"]["value"], last["sensitivity"]["value"]) == (1.0, 0.0)


def test_equal_values_share_a_part_and_unknown_ones_are_left_out(simulate):
    part = simulate(40)
    stats = measured(40).assign(width=np.repeat([100.0, 200.0, np.nan], [30, 6, 4]))
    report, _ = subgroup_report(part, AT_HALF, image_stats=stats)
    assert [figures["n"] for figures in report["image_size"].values()] == [30, 6]


def test_images_that_were_not_measured_are_noted(simulate):
    report, notes = subgroup_report(simulate(20), AT_HALF)
    assert "image_size" not in report
    assert notes == ["Subgroups by image size and brightness are not given: the images were not measured."]


def test_the_auroc_of_a_part_with_one_positive_patient_has_no_interval(make_predictions):
    part = make_predictions([0, 1, 1, 0, 1, 0], np.random.default_rng(0).normal(size=(6, 2)), subtypes=("", "a") * 3)
    figures = subgroup_report(part, AT_HALF)[0]["subtype"]["a"]
    assert figures["auroc"]["value"] is not None and figures["auroc"]["ci95"] is None


def test_three_classes_give_accuracy_by_part(simulate):
    part = simulate(90, 3)
    stats = measured(90).assign(brightness=np.arange(90.0))
    report, _ = subgroup_report(part, Decision(None), image_stats=stats)
    assert report["subtype"] == {}
    correct = part.logits.argmax(axis=1) == part.y_true
    assert report["brightness"]["q1"]["accuracy"]["value"] == pytest.approx(correct[:23].mean())
    assert "auroc" not in report["brightness"]["q1"]
