"""Threshold rules: what they choose and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.errors import ConfigError, DataError
from medxray.metrics.thresholds import OperatingPoint, Rule, choose_threshold, parse_rule

Y = np.array([0, 0, 1, 0, 1, 1], bool)
SCORE = np.array([0.1, 0.3, 0.4, 0.5, 0.7, 0.9])


def test_youden_by_hand():
    # between 0.5 and 0.7: sensitivity 2/3, specificity 1; between 0.3 and 0.4: 1 and 2/3. The lower wins the tie.
    assert choose_threshold(Y, SCORE, rule="youden") == OperatingPoint(pytest.approx(0.35), "youden", "val")


def test_sensitivity_by_hand():
    assert choose_threshold(Y, SCORE, rule="sensitivity:0.6").value == pytest.approx(0.6)
    assert choose_threshold(Y, SCORE, rule="sensitivity:0.67").value == pytest.approx(0.35)
    assert choose_threshold(Y, SCORE, rule="sensitivity:1").value == pytest.approx(0.35)


def test_cost_by_hand():
    # 1 false positive at 0.35 costs FP, 1 false negative at 0.6 costs FN
    assert choose_threshold(Y, SCORE, rule="cost:5/1").value == pytest.approx(0.35)
    assert choose_threshold(Y, SCORE, rule="cost:1/5").value == pytest.approx(0.6)
    assert choose_threshold(Y, SCORE, rule="cost:1/1").value == pytest.approx(0.35)


def test_a_fixed_threshold_looks_at_no_data():
    assert choose_threshold(np.array([True]), np.array([0.2]), rule="0.5") == OperatingPoint(0.5, "0.5", "fixed")


def test_the_name_of_the_split_is_kept():
    assert choose_threshold(Y, SCORE, rule="youden", chosen_on="validation").chosen_on == "validation"


def test_equal_scores_are_never_separated():
    found = choose_threshold([0, 1, 1, 0], [0.2, 0.6, 0.6, 0.6], rule="youden").value
    assert found == pytest.approx(0.4)


def test_extreme_scores_stay_within_zero_and_one():
    assert choose_threshold([0, 1], [0.0, 1.0], rule="youden").value == 0.5
    assert choose_threshold([1, 0], [0.0, 1.0], rule="sensitivity:1").value == 0.0
    assert choose_threshold([1, 0], [0.9, 1.0], rule="cost:1/100").value == pytest.approx(0.45)
    assert choose_threshold([1, 0], [0.8, 0.9], rule="cost:1/100").value == pytest.approx(0.95)


def test_adjacent_numbers_are_still_told_apart():
    low = 0.7
    high = np.nextafter(low, 1.0)
    found = choose_threshold([0, 1], [low, high], rule="youden").value
    assert low < found <= high


def best_by_trying(is_positive, score, rule):
    """Every possible partition of the scores, tried one by one."""
    parsed = parse_rule(rule)
    options = []
    for value in [*np.unique(score), 2.0]:
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
    value = choose_threshold(is_positive, score, rule=rule).value
    assert 0 <= value <= 1
    called = score >= value
    sensitivity, fp = called[is_positive].mean(), int(called[~is_positive].sum())
    parsed = parse_rule(rule)
    reached = {
        "youden": round(sensitivity + 1 - called[~is_positive].mean(), 12),
        "sensitivity": fp,
        "cost": parsed.cost_fn * int((~called[is_positive]).sum()) + parsed.cost_fp * fp,
    }[parsed.kind]
    best = best_by_trying(is_positive, score, rule)
    if parsed.kind == "cost" and score.max() == 1.0:  # calling nobody is then no threshold within 0-1
        assert reached >= best
    else:
        assert reached == best
    if parsed.kind == "sensitivity":
        assert sensitivity >= parsed.target


def test_rules_are_parsed():
    assert parse_rule("youden") == Rule("youden")
    assert parse_rule("sensitivity:0.95") == Rule("sensitivity", target=0.95)
    assert parse_rule("cost:5/1") == Rule("cost", cost_fn=5.0, cost_fp=1.0)
    assert parse_rule("0.5") == Rule("fixed", target=0.5)
    assert parse_rule(" 0.3 ") == Rule("fixed", target=0.3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yuden", "unknown rule"),
        ("youden:1", "unknown rule"),
        ("", "unknown rule"),
        ("nan", "unknown rule"),
        ("0", "between 0 and 1"),
        ("1.5", "between 0 and 1"),
        ("-0.5", "between 0 and 1"),
        ("sensitivity", "above 0 and at most 1"),
        ("sensitivity:95", "above 0 and at most 1"),
        ("sensitivity:0", "above 0 and at most 1"),
        ("sensitivity:high", "above 0 and at most 1"),
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


def test_scores_must_be_probabilities():
    with pytest.raises(DataError, match=r"probabilities from 0 to 1\. Received -3\.0 to 2\.0"):
        choose_threshold([0, 1], [-3.0, 2.0], rule="youden")
    with pytest.raises(DataError, match="probabilities from 0 to 1"):
        choose_threshold([0, 1], [np.nan, 0.5], rule="youden")
