"""Abstention: the bound by hand, what is counted, and how often simulated bounds are too low."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from medxray.metrics.selective import (
    THRESHOLDS,
    Abstention,
    Counts,
    binomial_bound,
    fit_abstention,
    label_log_odds,
    one_of_each_patient,
)


def test_bound_without_errors_is_the_root_of_delta():
    # (1 - b)^100 = 0.1
    assert binomial_bound(0, 100, delta=0.1) == pytest.approx(1 - 0.1**0.01)


def test_bound_of_one_error_in_two_is_solved_by_hand():
    # P(X <= 1) = 1 - b^2 = 0.1
    assert binomial_bound(1, 2, delta=0.1) == pytest.approx(math.sqrt(0.9))


@pytest.mark.parametrize(("wrong", "answered", "delta"), [(0, 7, 0.05), (3, 40, 0.01), (12, 400, 0.1 / 22)])
def test_no_more_than_so_many_errors_have_the_probability_delta_at_the_bound(wrong, answered, delta):
    assert binom.cdf(wrong, answered, binomial_bound(wrong, answered, delta=delta)) == pytest.approx(delta)


def test_bound_is_one_where_nothing_is_answered_or_all_is_wrong():
    assert binomial_bound([0, 3], [0, 3], delta=0.1).tolist() == [1.0, 1.0]


def abstention(answered, wrong, **other):
    views = {"clean": Counts(tuple(answered), tuple(wrong))} | other
    return Abstention(0.9, (-math.inf, 0.0, 1.0), 300, views)


def test_each_threshold_and_view_gets_an_equal_part_of_what_may_go_wrong():
    one = abstention((300, 250, 200), (30, 5, 0))
    assert one.bounds()["clean"][2] == pytest.approx(1 - (0.1 / 3) ** (1 / 200))
    two = abstention((300, 250, 200), (30, 5, 0), shifted=Counts((300, 200, 100), (60, 20, 0)))
    assert two.bounds()["shifted"][2] == pytest.approx(1 - (0.1 / 6) ** (1 / 100))


def test_point_answers_most_among_the_thresholds_that_keep_the_error_on_every_view():
    one = abstention((300, 250, 200), (30, 5, 0))
    bounds = one.bounds()["clean"]
    assert one.point(0.5).log_odds == -math.inf and one.point(0.5).coverage == {"clean": 1.0}
    found = one.point(0.05)
    assert (found.log_odds, found.bound, found.coverage["clean"]) == (0.0, bounds[1], 250 / 300)
    assert one.point(0.02).log_odds == 1.0 and one.point(0.01) is None
    two = abstention((300, 250, 200), (30, 5, 0), shifted=Counts((300, 200, 100), (60, 20, 0)))
    assert two.point(0.06).log_odds == 1.0  # the second threshold keeps it on unchanged images alone
    assert two.point(0.06).coverage == {"clean": 200 / 300, "shifted": 100 / 300}


def test_the_lowest_error_that_can_be_kept_is_rounded_up_so_that_it_can_be_asked_for():
    one = abstention((300, 250, 200), (30, 5, 0))
    lowest = one.lowest_risk()
    assert lowest == math.ceil(1000 * (1 - (0.1 / 3) ** (1 / 200))) / 1000
    assert one.point(lowest) is not None and one.point(lowest - 0.001) is None
    assert abstention((3, 2, 1), (1, 1, 0)).lowest_risk() is None


def test_an_image_is_as_sure_as_its_label_is_likely():
    log_odds = np.array([[1.0, -1.0], [1.0, -1.0]])
    assert label_log_odds(log_odds, np.array([0, 1])).tolist() == [1.0, -1.0]


def test_one_image_of_each_patient_is_drawn_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(0)
    patients = np.array([f"p{number}" for number in rng.integers(0, 40, 120)])
    paths = np.array([f"{number}.png" for number in range(120)])
    rows, views = one_of_each_patient(patients, paths, views=6)
    assert patients[rows].tolist() == np.unique(patients).tolist() and set(views.tolist()) == set(range(6))
    mixed = rng.permutation(120)
    again, same = one_of_each_patient(patients[mixed], paths[mixed], views=6)
    assert mixed[again].tolist() == rows.tolist() and same.tolist() == views.tolist()


def test_each_image_of_a_patient_is_drawn_equally_often():
    patients = np.repeat([f"p{number}" for number in range(3000)], 3)
    rows, _ = one_of_each_patient(patients, [str(number % 3) for number in range(9000)])
    counts = np.bincount(rows % 3)
    assert np.abs(counts - 1000).max() < 4 * math.sqrt(3000 * 2 / 9)


def test_counts_are_of_the_drawn_images_and_views():
    patients, truth = np.array(["a", "b", "c"]), np.array([0, 1, 1])
    clean = (np.array([0.2, 1.2, 3.0]), np.array([0, 0, 1]))
    shifted = [(np.array([2.0, 2.0, 2.0]), np.array([1, 1, 1])), (np.array([-1.0, -1.0, -1.0]), np.array([0, 0, 0]))]
    found = fit_abstention({"clean": [clean], "shifted": shifted}, truth, patients, ("1", "2", "3"), thresholds=(0, 1))
    assert found.counts["clean"] == Counts((3, 2), (1, 1)) and found.patients == 3
    _, views = one_of_each_patient(patients, ("1", "2", "3"), views=2)
    drawn = [shifted[view] for view in views]
    answered = [drawn[row][0][row] >= 0 for row in range(3)]
    wrong = [drawn[row][0][row] >= 0 and drawn[row][1][row] != truth[row] for row in range(3)]
    assert found.counts["shifted"] == Counts((sum(answered),) * 2, (sum(wrong),) * 2)


# simulation: patients with several images, which are alike; those with many images are easier


def population(rng, patients):
    """(sureness, wrong, patient) of images; the sign of the log-odds is the label, and the true class is positive."""
    images = np.where(rng.random(patients) < 0.3, 8, 1)
    patient = np.repeat(np.arange(patients), images)
    own = np.where(images > 1, 2.5, 1.2) + 1.2 * rng.normal(size=patients)
    log_odds = own[patient] + 0.3 * rng.normal(size=len(patient))
    return np.abs(log_odds), log_odds < 0, patient


def true_errors():
    """The error of a random image of a new patient that is answered, at each threshold."""
    sure, wrong, patient = population(np.random.default_rng(99), 400_000)
    weights = 1 / np.bincount(patient)[patient]
    return np.array([weights[wrong & (sure >= t)].sum() / max(weights[sure >= t].sum(), 1) for t in THRESHOLDS])


def violations(rng, *, patients, by_image, times):
    """Share of simulated fits in which a bound at any threshold with 30 patients or more is below the truth."""
    truth, missed = true_errors(), 0
    for time in range(times):
        sure, wrong, patient = population(rng, patients)
        ids = np.arange(len(patient)) if by_image else patient
        ids = np.array([f"{time}-{number}" for number in ids])
        paths = [str(row) for row in range(len(patient))]
        found = fit_abstention({"clean": [(sure, wrong.astype(int))]}, np.zeros(len(sure), int), ids, paths)
        answered = np.array(found.counts["clean"].answered) >= 30
        missed += (found.bounds()["clean"] < truth)[answered].any()
    return missed / times


def test_all_bounds_hold_together_in_more_than_nine_of_ten_simulations_by_patient_and_not_by_image():
    rng = np.random.default_rng(0)
    assert violations(rng, patients=150, by_image=False, times=300) <= 0.1
    assert violations(rng, patients=150, by_image=True, times=150) > 0.1


def test_the_error_that_was_asked_for_is_exceeded_in_at_most_a_tenth_of_the_fits_with_a_fitted_decision(drawn_labels):
    """Calibration and threshold are fitted on the same validation patients; 120 fits, two classes and three."""
    from medxray.metrics.decision import fit_decision
    from medxray.metrics.predictions import Predictions
    from medxray.metrics.unsure import fit_unsure

    for classes in (2, 3):
        names = ("A", "B", "C")[:classes]

        def draw(seed, n, names=names):
            rng = np.random.default_rng(seed)
            truth = rng.integers(0, len(names), n)
            logits = 1.7 * (rng.normal(size=(n, len(names))) + 1.7 * np.eye(len(names))[truth])
            ids, positive = [f"{seed}-{row}" for row in range(n)], names[1] if len(names) == 2 else None
            return Predictions(tuple(ids), ids, truth, logits, names, positive, "val")

        large, missed = draw(0, 20_000), []
        for seed in range(1, 61):
            validation = draw(seed, 400)
            decision = fit_decision(validation)
            unsure = fit_unsure(validation, decision)
            point = unsure.abstention.point(0.08)
            if point is None:
                continue
            answered = unsure.answered(large.logits, decision, point)
            missed.append((decision.labels(large.logits) != large.y_true)[answered].mean() > 0.08)
        assert len(missed) > 30 and np.mean(missed) <= 0.1
