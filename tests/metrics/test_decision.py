"""The decision is fitted on enough validation images or refused, labels as it says, and survives JSON."""

import dataclasses
import json
import logging

import numpy as np
import pytest

from medxray.errors import ConfigError, RunError
from medxray.metrics.calibration import Calibration, fit_calibration
from medxray.metrics.decision import CLEAN, SHIFTED, Decision, chosen_where, fit_decision, fit_decisions, with_shifted
from medxray.metrics.thresholds import OperatingPoint, choose_threshold


def test_threshold_is_chosen_on_calibrated_validation_scores(simulate):
    validation = simulate(300, split="val", temperature=3.0)
    decision = fit_decision(validation, rule="youden")
    calibration = fit_calibration(validation.logits, validation.y_true)
    assert decision.calibration == calibration and calibration.temperature > 1.5
    log_odds = validation.log_odds(calibration)[:, 1]
    expected = choose_threshold(validation.is_positive, log_odds, rule="youden", chosen_on="val")
    assert decision.threshold == expected
    assert decision.messages == ()


def test_target_sensitivity_is_reached_on_validation(simulate):
    validation = simulate(400, split="val", skill=1.5)
    decision = fit_decision(validation, rule="sensitivity:0.95")
    labels = decision.labels(validation.logits)
    assert labels[validation.is_positive].mean() >= 0.95
    assert labels[~validation.is_positive].mean() < 1.0


def test_too_few_images_of_a_class_refuse_both_numbers_and_say_so(make_predictions, caplog):
    y_true = np.repeat([0, 1], [49, 200])
    logits = np.random.default_rng(0).normal(size=(249, 2))
    with caplog.at_level(logging.WARNING):
        decision = fit_decision(make_predictions(y_true, logits, split="val"), rule="youden")
    assert decision == Decision(OperatingPoint(0.5, "0.5", "fixed"), Calibration(), decision.messages)
    assert "49 of NORMAL, where 50 of each class are needed; threshold 0.5 and no calibration are" in caplog.text
    assert caplog.records[0].getMessage() == decision.messages[0]


def test_fifty_images_of_each_class_are_enough(simulate):
    validation = simulate(2000, split="val", skill=1.0)
    rows = np.concatenate([np.flatnonzero(validation.y_true == k)[:50] for k in (0, 1)])
    assert fit_decision(validation.where(rows), rule="youden").threshold.chosen_on == "val"


def test_an_empty_validation_split_is_refused_too(make_predictions):
    decision = fit_decision(make_predictions([], np.zeros((0, 2)), split="val"), rule="cost:5/1")
    assert (decision.threshold.value, decision.calibration) == (0.5, Calibration())
    assert "0 of NORMAL, 0 of PNEUMONIA" in decision.messages[0]


def test_a_threshold_given_as_a_number_is_kept_with_few_images(simulate):
    decision = fit_decision(simulate(20, split="val"), rule="0.3")
    assert decision.threshold == OperatingPoint(0.3, "0.3", "fixed")
    assert "threshold 0.3 and no calibration" in decision.messages[0]


def test_perfect_validation_far_from_zero_is_decided_without_error_and_says_so(make_predictions):
    y_true = np.arange(120) % 2
    logits = np.stack([np.zeros(120), 60.0 + y_true], axis=1)  # the softmax alone calls all of them 1.0
    validation = make_predictions(y_true, logits, split="val")
    decision = fit_decision(validation, rule="youden")
    assert (decision.labels(validation.logits) == y_true).all()
    assert "separated without error" in decision.messages[0]


def test_calibration_moves_threshold_and_probability_together(simulate):
    validation = simulate(400, split="val", temperature=2.0)
    shifted = dataclasses.replace(validation, logits=validation.logits + [0.0, 5.0])
    plain, other = (fit_decision(part, rule="youden") for part in (validation, shifted))
    assert other.calibration.bias[1] == pytest.approx(plain.calibration.bias[1] - 5 / plain.calibration.temperature)
    assert other.threshold.value == pytest.approx(plain.threshold.value)


def test_bias_of_three_classes_undoes_a_shift_of_the_labels(simulate):
    validation = simulate(900, 3, split="val")
    shifted = dataclasses.replace(validation, logits=validation.logits + [0.0, 3.0, -2.0])
    labels = [part.probabilities(fit_decision(part).calibration).argmax(axis=1) for part in (validation, shifted)]
    assert (labels[0] == labels[1]).mean() > 0.995
    assert (shifted.logits.argmax(axis=1) == labels[0]).mean() < 0.8


def test_three_classes_have_a_calibration_and_no_threshold(simulate):
    decision = fit_decision(simulate(600, 3, split="val", temperature=2.0), rule="youden")
    assert decision.threshold is None and decision.calibration.temperature > 1.2
    scarce = fit_decision(simulate(60, 3, split="val"), rule="youden")
    assert scarce.threshold is None and scarce.calibration.is_identity
    assert "no calibration is used" in scarce.messages[0]


def test_a_wrong_rule_is_refused_before_anything_else(simulate):
    with pytest.raises(ConfigError, match="threshold rule must be"):
        fit_decision(simulate(10, split="val"), rule="best")


def test_an_image_on_the_threshold_is_positive():
    decision = Decision(OperatingPoint(0.5, "0.5", "fixed"))
    assert decision.labels(np.array([[1.0, 1.0], [1.0, 0.9999999]])).tolist() == [1, 0]


def test_images_whose_probabilities_are_all_1_are_told_apart():
    decision = Decision(OperatingPoint(1.0, "youden", "val", 55.0))
    assert decision.labels(np.array([[0.0, 50.0], [0.0, 60.0]])).tolist() == [0, 1]


def test_a_decision_of_version_0_1_has_no_log_odds_and_labels_by_its_value():
    stored = {"threshold": {"value": 0.25, "rule": "youden", "chosen_on": "val"}, "temperature": 1.0}
    decision = Decision.from_dict(stored)
    assert decision.threshold.log_odds == pytest.approx(-np.log(3))
    assert decision.labels(np.array([[0.0, -1.0], [0.0, -1.2]])).tolist() == [1, 0]


def test_three_classes_are_labelled_by_the_highest_probability():
    assert Decision(None).labels(np.array([[0.3, 0.4, 0.3], [0.2, 0.2, 0.6]])).tolist() == [1, 2]


@pytest.mark.parametrize("threshold", [None, OperatingPoint(0.123456789012345678, "cost:5/1", "val")])
def test_a_decision_survives_json(threshold):
    decision = Decision(threshold, Calibration(1.7182818284590452, (0.0, -0.1234567890123456)), ("a message",))
    assert Decision.from_dict(json.loads(json.dumps(decision.to_dict()))) == decision


def test_a_decision_stored_without_bias_has_none():
    stored = {"threshold": None, "temperature": 1.5, "messages": []}
    assert Decision.from_dict(stored) == Decision(None, Calibration(1.5))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"threshold": None},
        {"threshold": None, "temperature": 0},
        {"threshold": None, "temperature": "warm"},
        {"threshold": None, "temperature": float("nan")},
        {"threshold": 0.5, "temperature": 1.0},
        {"threshold": {"value": 0.5}, "temperature": 1.0},
        {"threshold": {"value": 2, "rule": "youden", "chosen_on": "val"}, "temperature": 1.0},
        {"threshold": None, "temperature": 1.0, "messages": 3},
        {"threshold": None, "temperature": 1.0, "bias": 0.5},
        {"threshold": None, "temperature": 1.0, "bias": None},
        {"threshold": None, "temperature": 1.0, "bias": [0.5]},
        {"threshold": None, "temperature": 1.0, "bias": [0.0, "high"]},
        {"threshold": None, "temperature": 1.0, "bias": [0.0, float("inf")]},
    ],
)
def test_a_damaged_decision_is_refused(value):
    with pytest.raises(RunError, match="A stored decision needs .*The run is damaged: train it again"):
        Decision.from_dict(value)


def shifted_views(validation):
    """Two views whose logits are moved to the sick side by 2 and by 4."""
    moves = {"exposure": [0.0, 2.0], "noise": [0.0, 4.0]}
    return {name: validation.logits + move for name, move in moves.items()}


def test_unchanged_images_have_half_of_the_weight(simulate):
    validation = simulate(60, split="val")
    both = with_shifted(validation, shifted_views(validation))
    assert len(both) == 4 * len(validation) and both.n_patients == validation.n_patients
    np.testing.assert_array_equal(both.logits[: 2 * len(validation)], np.tile(validation.logits, (2, 1)))
    np.testing.assert_array_equal(both.logits[2 * len(validation) :][: len(validation), 1], validation.logits[:, 1] + 2)
    np.testing.assert_array_equal(both.y_true, np.tile(validation.y_true, 4))


@pytest.mark.parametrize("decide_on", [CLEAN, SHIFTED])
def test_both_decisions_are_fitted_and_the_wanted_one_is_used(simulate, decide_on):
    validation = simulate(300, split="val")
    views = shifted_views(validation)
    used, other = fit_decisions(validation, decide_on=decide_on, shifted=views)
    assert (used.decided_on, other.decided_on) == ((CLEAN, SHIFTED) if decide_on == CLEAN else (SHIFTED, CLEAN))
    clean, shifted = (used, other) if decide_on == CLEAN else (other, used)
    assert clean == fit_decision(validation)
    assert shifted.threshold == fit_decision(with_shifted(validation, views)).threshold
    calls = [decision.labels(validation.logits).mean() for decision in (clean, shifted)]
    assert calls[1] < calls[0]  # views that look sicker ask for a higher threshold
    assert Decision.from_dict(json.loads(json.dumps(shifted.to_dict()))) == shifted


def test_without_shifted_views_or_with_few_images_there_is_one_decision(simulate, make_predictions):
    validation = simulate(300, split="val")
    assert fit_decisions(validation, decide_on=SHIFTED) == (fit_decision(validation), None)
    few = make_predictions(np.repeat([0, 1], [20, 20]), np.random.default_rng(0).normal(size=(40, 2)), split="val")
    used, other = fit_decisions(few, decide_on=SHIFTED, shifted=shifted_views(few))
    assert used.threshold.value == 0.5 and used.decided_on == CLEAN and other is None


def test_a_decision_for_comparison_is_fitted_on_the_rows_that_were_looked_at_and_says_so(simulate):
    validation = simulate(800, split="val")
    rows = np.arange(0, 800, 2)
    part = validation.where(rows)
    views = {"blur": part.logits - [0.0, 1.0]}
    used, other = fit_decisions(validation, shifted=views, rows=rows)
    assert used == fit_decision(validation) and used.decided_on == CLEAN
    expected = fit_decision(with_shifted(part, views))
    assert (other.threshold, other.calibration, other.decided_on) == (expected.threshold, expected.calibration, SHIFTED)
    assert other.messages[-1] == "Fitted for comparison on 400 of 800 validation images."
    assert fit_decisions(validation, shifted={"blur": views["blur"][:20]}, rows=rows[:20])[1] is None


def test_a_decision_of_an_earlier_version_was_made_on_unchanged_images():
    stored = Decision(OperatingPoint(0.4, "youden", "val")).to_dict()
    del stored["decided_on"]
    assert Decision.from_dict(stored).decided_on == CLEAN


def test_where_a_threshold_was_chosen_tells_of_shifted_views_of_validation_images_alone():
    assert chosen_where("val", SHIFTED) == "val, shifted views too"
    for chosen_on in ("fixed", "val, carried over to elsewhere"):
        assert chosen_where(chosen_on, SHIFTED) == chosen_on
    assert chosen_where("val", CLEAN) == "val"
