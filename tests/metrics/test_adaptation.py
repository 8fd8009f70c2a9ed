"""A stored calibration at another place: limits of the shrinkage, the prior shift, cross-fitting, thresholds."""

import dataclasses

import numpy as np
import pytest
from scipy.special import expit, logit

from medxray.metrics import adaptation
from medxray.metrics.adaptation import Judged, Place, adapted_decision, cross_fitted, effective_patients, fit_adaptation
from medxray.metrics.adaptation_figures import before_and_after
from medxray.metrics.calibration import Calibration, fit_calibration
from medxray.metrics.carried_threshold import carried_log_odds, carried_point, threshold_words
from medxray.metrics.decision import Decision
from medxray.metrics.patient_folds import patient_folds
from medxray.metrics.thresholds import OperatingPoint

STORED = Decision(OperatingPoint(0.65, "youden", "val"), Calibration(1.5, (0.0, 0.4)))


@pytest.fixture
def sample(make_predictions):
    """Function (patients of each class, slope, shift) -> two images of each patient, moved from the stored scores."""

    def build(count=60, *, slope=1.0, shift=0.0, positive=None, seed=0):
        rng = np.random.default_rng(seed)
        y_true = np.repeat([0] * count + [1] * (positive or count), 2)
        score = (rng.normal(2.0 * y_true - 1) * 2 - shift) / slope  # stored log-odds at equal shares
        difference = (score - 0.4) * 1.5
        patients = np.repeat(np.arange(len(y_true) // 2), 2)
        return make_predictions(y_true, np.stack([0 * difference, difference], axis=1), patients=patients)

    return build


def log_odds(decision, logits):
    return decision.calibration.log_odds(logits)[:, 1]


def test_an_adaptation_is_a_calibration_of_the_logits_by_hand():
    found = adaptation.Adaptation(0.5, (0.0, 0.3), (0.0, -1.0)).calibration(STORED.calibration)
    # 0.5 (x / 1.5 + 0.4) - 1.0 + 0.3 = x / 3 - 0.5
    assert found.temperature == pytest.approx(3) and found.bias == pytest.approx((0.0, -0.5))


def test_endless_shrinkage_leaves_the_stored_probabilities_but_for_the_log_prior_ratio(sample):
    place = Place(STORED, (0.4, 0.6), (0.8, 0.2))
    found = fit_adaptation(sample(shift=3.0), place, slope_spread=1e-5, shift_spread=1e-5)
    assert found.slope == pytest.approx(1, abs=1e-6) and found.shift == pytest.approx((0, 0), abs=1e-6)
    moved = found.calibration(STORED.calibration)
    logits = np.array([[0.0, 1.0], [2.0, -3.0]])
    change = moved.log_odds(logits)[:, 1] - STORED.calibration.log_odds(logits)[:, 1]
    np.testing.assert_allclose(change, logit(0.2) - logit(0.6), atol=1e-5)


def test_no_shrinkage_is_the_fit_of_maximum_likelihood(sample):
    part = sample(slope=0.7, shift=1.0)
    found = fit_adaptation(part, Place(STORED, (0.5, 0.5), None), slope_spread=1e6, shift_spread=1e6)
    free, found = fit_calibration(part.logits, part.y_true), found.calibration(STORED.calibration)
    assert found.temperature == pytest.approx(free.temperature, rel=1e-4)
    assert found.bias == pytest.approx(free.bias, abs=1e-4)


def test_shrinkage_fades_with_the_number_of_patients(sample):
    gaps = []
    for count in (30, 300, 3000):
        part = sample(count, shift=4.0)
        place = Place(STORED, (0.5, 0.5), None)
        shrunk = fit_adaptation(part, place, shift_spread=1.0).shift[1]
        free = fit_adaptation(part, place, shift_spread=1e6, slope_spread=1e6).shift[1]
        gaps.append(free - shrunk)
    assert gaps[0] > gaps[1] > gaps[2] > -0.01 and gaps[2] < 0.1


def test_slope_and_shift_of_a_large_sample_are_found(sample):
    found = fit_adaptation(sample(8000, slope=0.7, shift=1.5), Place(STORED, (0.5, 0.5), (0.5, 0.5)))
    assert found.slope == pytest.approx(0.7, rel=0.03) and found.shift[1] == pytest.approx(1.5, abs=0.06)


def test_another_prevalence_moves_the_log_odds_by_the_log_prior_ratio(sample):
    part = sample(4000)
    at = {share: fit_adaptation(part, Place(STORED, (0.5, 0.5), (1 - share, share))) for share in (0.5, 0.1)}
    change = log_odds(Decision(None, at[0.1].calibration(STORED.calibration)), part.logits) - log_odds(
        Decision(None, at[0.5].calibration(STORED.calibration)), part.logits
    )
    assert np.mean(change) == pytest.approx(logit(0.1), abs=0.25)
    assert at[0.1].prior == pytest.approx((0.0, logit(0.1)))


def test_more_images_of_the_same_patients_do_not_loosen_the_shrinkage(sample):
    part = sample(40, shift=2.0)
    twice = part.where(np.repeat(np.arange(len(part)), 3))
    place = Place(STORED, (0.5, 0.5), (0.7, 0.3))
    assert fit_adaptation(twice, place).shift == pytest.approx(fit_adaptation(part, place).shift, abs=1e-6)


def test_effective_patients_by_hand():
    assert effective_patients(np.ones(4), np.array(["a", "a", "b", "b"])) == pytest.approx(2)
    assert effective_patients(np.array([3.0, 1.0]), np.array(["a", "b"])) == pytest.approx(16 / 10)


def test_separated_classes_have_a_finite_adaptation(make_predictions):
    y_true = np.repeat([0, 1], 30)
    part = make_predictions(y_true, np.stack([0 * y_true, 20.0 * y_true - 10], axis=1))
    found = fit_adaptation(part, Place(STORED, (0.5, 0.5), None))
    assert 0.2 < found.slope < 5 and abs(found.shift[1]) < 5


def test_three_classes_find_their_shifts(make_predictions, drawn_labels):
    true = np.random.default_rng(3).normal(scale=2, size=(6000, 3))
    moved = make_predictions(drawn_labels(true), (true - [0.0, 1.0, -1.0]) / 0.8)
    place = Place(Decision(None, Calibration(1.0, (0.0, 0.0, 0.0))), None, None)
    found = fit_adaptation(moved, place)
    assert found.slope == pytest.approx(0.8, rel=0.05) and found.shift == pytest.approx((0, 1, -1), abs=0.1)
    decision, _ = adapted_decision(moved, place, site="x")
    assert decision.threshold is None and len(decision.calibration.bias) == 3


def test_folds_keep_patients_together_and_spread_the_classes(sample):
    part = sample(25)
    fold = patient_folds(part.patient_ids, part.y_true, 10, seed=1)
    for patient in np.unique(part.patient_ids):
        assert len(set(fold[part.patient_ids == patient])) == 1
    for label in (0, 1):
        counts = np.bincount(fold[part.y_true == label], minlength=10) / 2
        assert set(counts) <= {2, 3}


def test_cross_fitting_never_judges_a_patient_it_fitted_on(sample, monkeypatch):
    part, seen = sample(25), []
    real = adaptation.adapted_decision

    def fitted(inside, place, **options):
        seen.append(set(inside.patient_ids))
        return real(inside, place, **options)

    monkeypatch.setattr(adaptation, "adapted_decision", fitted)
    judged = []
    by = Judged.by.__func__
    monkeypatch.setattr(
        Judged, "by", classmethod(lambda cls, decision, logits: judged.append(logits) or by(cls, decision, logits))
    )
    cross_fitted(part, Place(STORED, (0.5, 0.5), None))
    patient_of = {logits[1]: patient for logits, patient in zip(part.logits, part.patient_ids, strict=True)}
    assert len(seen) == len(judged) == 10
    for inside, logits in zip(seen, judged, strict=True):
        outside = {patient_of[row[1]] for row in logits}
        assert not inside & outside and inside | outside == set(part.patient_ids)


def test_each_patient_is_judged_by_the_fit_to_the_other_folds(sample):
    part = sample(25)
    own = part.patient_ids == "p3"
    number = patient_folds(part.patient_ids, part.y_true, 10)
    place = Place(STORED, (0.5, 0.5), (0.5, 0.5))
    fitted, _ = adapted_decision(part.where(number != number[own][0]), place, site="")
    judged = cross_fitted(part, place)
    np.testing.assert_array_equal(judged.log_probabilities[own], fitted.calibration.log_probabilities(part.logits[own]))
    np.testing.assert_array_equal(judged.labels[own], fitted.labels(part.logits[own]))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("youden", logit(0.2)),
        ("youden:0.95", logit(0.2)),
        ("sensitivity:0.95", logit(0.3) - logit(0.6) + logit(0.2)),
        ("sensitivity:0.95@90", logit(0.3) - logit(0.6) + logit(0.2)),
        ("cost:5/1", logit(0.3)),
        ("0.3", logit(0.3)),
    ],
)
def test_the_threshold_follows_from_its_rule(rule, expected):
    point = OperatingPoint(0.3, rule, "val")
    assert carried_log_odds(point, old=0.6, new=0.2) == pytest.approx(expected)


def test_a_rule_on_the_sensitivity_keeps_the_labels_where_only_the_prevalence_changes(sample):
    part = sample(30)
    stored = dataclasses.replace(STORED, threshold=OperatingPoint(0.3, "sensitivity:0.95", "val"))
    prior = (0.0, logit(0.1) - logit(0.6))
    moved = Decision(
        OperatingPoint(0, "x", "val", carried_log_odds(stored.threshold, old=0.6, new=0.1)),
        adaptation.Adaptation(1.0, (0.0, 0.0), prior).calibration(stored.calibration),
    )
    np.testing.assert_array_equal(moved.labels(part.logits), stored.labels(part.logits))


def test_an_adapted_decision_says_where_its_threshold_comes_from(sample):
    decision, _ = adapted_decision(sample(), Place(STORED, (0.5, 0.5), (0.8, 0.2)), site="North", messages=("Told.",))
    assert decision.threshold.chosen_on == "val, carried over to North" and decision.threshold.rule == "youden"
    assert decision.threshold.value == pytest.approx(0.2) and decision.messages == ("Told.",)
    assert Decision.from_dict(decision.to_dict()) == decision


def test_a_bounded_rule_is_carried_over_without_its_bound_and_says_so():
    point = carried_point(OperatingPoint(0.4, "youden:0.95", "val"), old=(0.5, 0.5), new=(0.7, 0.3), site="North")
    assert point.rule == "youden" and point.value == pytest.approx(0.3)
    assert "without the bound of youden:0.95" in threshold_words(OperatingPoint(0.4, "youden:0.95", "val"))
    assert "bound" not in threshold_words(OperatingPoint(0.4, "youden", "val"))


def test_figures_before_and_after_by_hand(make_predictions):
    part = make_predictions([0, 0, 1, 1], np.zeros((4, 2)))
    p = np.array([0.2, 0.6, 0.6, 0.9])
    judged = Judged(np.log(np.stack([1 - p, p], axis=1)), np.array([0, 1, 1, 1]))
    plain = Judged(np.log(np.full((4, 2), 0.5)), np.array([1, 1, 1, 1]))
    weights = np.array([1.5, 1.5, 0.5, 0.5])
    found = before_and_after(part, plain, judged, weights, n_boot=10)
    value = {side: {name: one["value"] for name, one in found[side].items()} for side in ("before", "after", "change")}
    nll = -(1.5 * np.log(0.8) + 1.5 * np.log(0.4) + 0.5 * np.log(0.6) + 0.5 * np.log(0.9)) / 4
    assert value["after"]["nll"] == pytest.approx(nll) and value["before"]["nll"] == pytest.approx(np.log(2))
    assert value["change"]["nll"] == pytest.approx(nll - np.log(2))
    assert value["after"]["sensitivity"] == 1 and value["after"]["specificity"] == 0.5
    assert value["after"]["balanced_accuracy"] == 0.75 and value["change"]["balanced_accuracy"] == 0.25
    # two bins by rank, ties together: {.2, .6, .6} and {.9}
    assert value["after"]["ece"] == pytest.approx((abs(-1.5 * 0.2 - 1.5 * 0.6 + 0.5 * 0.4) + 0.5 * 0.1) / 4)
    assert value["before"]["ece"] == pytest.approx(abs(2 * 1.5 * -0.5 + 2 * 0.5 * 0.5) / 4)


def test_an_adaptation_to_a_shifted_place_gains_on_patients_left_out_and_one_to_the_same_place_hardly(sample):
    changes = {}
    for shift in (0.0, 3.0):
        part = sample(40, shift=shift, seed=5)
        place = Place(STORED, (0.5, 0.5), (0.5, 0.5))
        before, after = Judged.by(STORED, part.logits), cross_fitted(part, place)
        changes[shift] = before_and_after(part, before, after, place.weights(part), n_boot=200)["change"]["nll"]
    assert changes[3.0]["ci95"][1] < 0 and abs(changes[0.0]["value"]) < 0.05


def test_probabilities_of_the_stored_log_odds_are_right_in_the_simulation(sample):
    part = sample(5000)
    p = expit(log_odds(STORED, part.logits))
    assert p.mean() == pytest.approx(0.5, abs=0.01)
