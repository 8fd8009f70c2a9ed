"""Threshold rules: what they choose and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.errors import ConfigError, DataError
from medxray.metrics.threshold_rules import Rule, check_rule_applies, parse_rule
from medxray.metrics.thresholds import OperatingPoint, choose_threshold, sure_sensitivity

Y = np.array([0, 0, 1, 0, 1, 1], bool)
LOG_ODDS = np.array([-4.0, -3.0, -1.0, 1.0, 2.0, 5.0])


def chosen(is_positive, log_odds, rule):
    return choose_threshold(np.array(is_positive, bool), np.array(log_odds), rule=rule).log_odds


def test_youden_by_hand():
    # between 1 and 2: sensitivity 2/3, specificity 1; between -3 and -1: 1 and 2/3. The lower wins the tie.
    found = choose_threshold(Y, LOG_ODDS, rule="youden")
    assert found == OperatingPoint(pytest.approx(1 / (1 + np.exp(2))), "youden", "val", -2.0)


def test_sensitivity_by_hand():
    assert chosen(Y, LOG_ODDS, "sensitivity:0.6") == 1.5
    assert chosen(Y, LOG_ODDS, "sensitivity:0.67") == -2.0
    assert chosen(Y, LOG_ODDS, "sensitivity:1") == -2.0


def test_bounded_youden_is_the_higher_of_two_thresholds():
    # Youden's -2 has a sensitivity of 1; .6 is reached at 1.5 and .67 at -2
    assert chosen(Y, LOG_ODDS, "youden:0.6") == 1.5
    assert chosen(Y, LOG_ODDS, "youden:0.67") == -2.0
    # a weak score: Youden's has a sensitivity of 1/2, and .95 would need one that calls all positive
    weak = ([1, 0, 0, 1], [-1.0, 0.0, 1.0, 2.0])
    assert chosen(*weak, "youden:0.95") == chosen(*weak, "youden") == 1.5
    assert chosen(*weak, "sensitivity:0.95") < -1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=30), st.floats(0.05, 0.99))
def test_bounded_youden_never_has_a_lower_threshold_than_either(rows, bound):
    is_positive, log_odds = (np.array(column) for column in zip(*rows, strict=True))
    if is_positive.all() or not is_positive.any():
        return
    rules = (f"youden:{bound}", "youden", f"sensitivity:{bound}")
    bounded, plain, reaching = (chosen(is_positive, log_odds.astype(float), rule) for rule in rules)
    assert bounded == max(plain, reaching)


def test_a_sure_sensitivity_needs_its_lower_bound_by_patient():
    is_positive = np.repeat([True, False], 100)
    log_odds = np.concatenate([np.arange(100.0), np.arange(100.0) - 150])
    # of 100 positive images 98 must be called for a lower bound of .95 at 90 %: Wilson's is .953 for 98, .939 for 97
    assert choose_threshold(is_positive, log_odds, rule="sensitivity:0.95@90").log_odds == 1.5
    assert choose_threshold(is_positive, log_odds, rule="sensitivity:0.95").log_odds == 4.5
    twice = np.repeat(np.arange(100), 2)  # two images of each patient: fewer patients, a lower threshold
    by_patient = choose_threshold(is_positive, log_odds, rule="sensitivity:0.95@90", patient_ids=twice)
    assert by_patient.log_odds < 1.5
    assert sure_sensitivity(
        by_patient.log_odds, is_positive=is_positive, log_odds=log_odds, patient_ids=twice, confidence=0.9
    ) >= 0.95 or by_patient.log_odds == log_odds.min() - np.log(2)


def test_a_sensitivity_that_no_threshold_shows_takes_the_lowest():
    assert chosen([1, 1, 0, 0], [1.0, 2.0, -1.0, 0.0], "sensitivity:0.95@90") == -1.0 - np.log(2)


def test_cost_by_hand():
    # 1 false positive at -2 costs FP, 1 false negative at 1.5 costs FN
    assert chosen(Y, LOG_ODDS, "cost:5/1") == -2.0
    assert chosen(Y, LOG_ODDS, "cost:1/5") == 1.5
    assert chosen(Y, LOG_ODDS, "cost:1/1") == -2.0


def test_a_fixed_threshold_looks_at_no_data():
    found = choose_threshold(np.array([True]), np.array([0.2]), rule="0.5")
    assert found == OperatingPoint(0.5, "0.5", "fixed") and found.log_odds == 0.0


def test_the_name_of_the_split_is_kept():
    assert choose_threshold(Y, LOG_ODDS, rule="youden", chosen_on="validation").chosen_on == "validation"


def test_equal_scores_are_never_separated():
    assert chosen([0, 1, 1, 0], [-2.0, 1.0, 1.0, 1.0], "youden") == -0.5


def test_the_outermost_thresholds_lie_beyond_all_scores_by_a_factor_of_two_in_the_odds():
    assert chosen([1, 0], [-1.0, 3.0], "sensitivity:1") == -1.0 - np.log(2)
    assert chosen([1, 0], [-1.0, 3.0], "cost:1/100") == 3.0 + np.log(2)


def test_scores_whose_probabilities_are_all_1_are_told_apart():
    found = choose_threshold([0, 1], [50.0, 60.0], rule="youden")
    assert found.log_odds == 55.0 and found.value == 1.0


def test_adjacent_numbers_are_still_told_apart():
    low = 0.7
    high = np.nextafter(low, 1.0)
    assert low < chosen([0, 1], [low, high], "youden") <= high


def best_by_trying(is_positive, score, rule):
    """Every possible partition of the scores, tried one by one."""
    parsed = parse_rule(rule)
    options = []
    for value in [*np.unique(score), score.max() + 1]:
        called = score >= value
        tp, fp = int((called & is_positive).sum()), int((called & ~is_positive).sum())
        fn, tn = int(is_positive.sum()) - tp, int((~is_positive).sum()) - fp
        options.append((tp / (tp + fn), tn / (tn + fp), parsed.cost_fn * fn + parsed.cost_fp * fp, fp))
    if parsed.kind == "youden":
        return max(round(sensitivity + specificity, 12) for sensitivity, specificity, *_ in options)
    if parsed.kind == "sensitivity":
        return min(fp for sensitivity, _, _, fp in options if sensitivity >= parsed.target - 1e-12)
    return min(cost for *_, cost, _ in options)


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(), n=st.integers(2, 25), rule=st.sampled_from(["youden", "sensitivity:0.8", "cost:3/1", "cost:1/4"])
)
def test_no_partition_of_the_scores_is_better(data, n, rule):
    is_positive = np.array([True, False, *data.draw(st.lists(st.booleans(), min_size=n - 2, max_size=n - 2))])
    score = np.array(data.draw(st.lists(st.integers(0, 10), min_size=n, max_size=n))) / 10
    value = choose_threshold(is_positive, score, rule=rule).log_odds
    called = score >= value
    sensitivity, fp = called[is_positive].mean(), int(called[~is_positive].sum())
    parsed = parse_rule(rule)
    reached = {
        "youden": round(sensitivity + 1 - called[~is_positive].mean(), 12),
        "sensitivity": fp,
        "cost": parsed.cost_fn * int((~called[is_positive]).sum()) + parsed.cost_fp * fp,
    }[parsed.kind]
    best = best_by_trying(is_positive, score, rule)
    assert reached == best
    if parsed.kind == "sensitivity":
        assert sensitivity >= parsed.target


def test_rules_are_parsed():
    assert parse_rule("youden") == Rule("youden")
    assert parse_rule("youden:0.95") == Rule("youden", target=0.95)
    assert parse_rule("sensitivity:0.95") == Rule("sensitivity", target=0.95)
    assert parse_rule("sensitivity:0.95@90") == Rule("sensitivity", target=0.95, confidence=0.9)
    assert parse_rule("cost:5/1") == Rule("cost", cost_fn=5.0, cost_fp=1.0)
    assert parse_rule("0.5") == Rule("fixed", target=0.5)
    assert parse_rule(" 0.3 ") == Rule("fixed", target=0.3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yuden", "unknown rule"),
        ("youden:1", "need not be exceeded"),
        ("youden:x", "need not be exceeded"),
        ("", "unknown rule"),
        ("nan", "unknown rule"),
        ("0", "between 0 and 1"),
        ("1.5", "between 0 and 1"),
        ("-0.5", "between 0 and 1"),
        ("sensitivity", "above 0 and at most 1"),
        ("sensitivity:95", "above 0 and at most 1"),
        ("sensitivity:0", "above 0 and at most 1"),
        ("sensitivity:high", "above 0 and at most 1"),
        ("sensitivity:0.95@", "confidence in percent"),
        ("sensitivity:0.95@100", "confidence in percent"),
        ("sensitivity:0.95@0.9", "confidence in percent"),
        ("sensitivity:1@90", "for a sensitivity below 1"),
        ("cost", "two positive numbers"),
        ("cost:5", "two positive numbers"),
        ("cost:5/0", "two positive numbers"),
        ("cost:-1/2", "two positive numbers"),
        ("cost:1/2/3", "two positive numbers"),
        ("cost:inf/1", "two positive numbers"),
    ],
)
def test_impossible_rules_are_refused_with_all_forms_named(text, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_rule(text)
    message = str(caught.value)
    assert "\n" not in message and repr(text) in message
    assert all(form in message for form in ("youden", "sensitivity:0.95", "cost:FN/FP", "0.5"))


def test_one_class_alone_has_no_threshold():
    with pytest.raises(DataError, match="needs images of both classes. Received 3 images in val, none but positive"):
        choose_threshold([1, 1, 1], [0.1, 0.2, 0.3], rule="youden")


@pytest.mark.parametrize("score", [np.nan, np.inf])
def test_scores_must_be_finite(score):
    with pytest.raises(DataError, match="Log-odds must be finite numbers"):
        choose_threshold([0, 1], [score, 0.5], rule="youden")


@pytest.mark.parametrize("rule", ["sensitivity:0.95", "cost:5/1", "0.5"])
def test_a_rule_is_refused_where_three_classes_have_no_threshold(rule):
    check_rule_applies(rule, ("NORMAL", "PNEUMONIA"))
    check_rule_applies("youden", ("NORMAL", "BACTERIAL", "VIRAL"))
    with pytest.raises(ConfigError, match="--threshold-rule is for two classes. There are 3: NORMAL, BACTERIAL, VIRAL"):
        check_rule_applies(rule, ("NORMAL", "BACTERIAL", "VIRAL"))
