"""Both operating points stand side by side in the report and in the model card."""

import pytest

from medxray.classifier.card import CARD
from medxray.evaluation.decision_text import CAPTION, decision_rows, one_point
from medxray.evaluation.model_card import model_card
from medxray.metrics.decision import SHIFTED, fit_decisions
from medxray.metrics.intervals import estimate_text
from medxray.metrics.report import evaluate_split


@pytest.fixture
def decided(simulate):
    """Function (number of classes) -> (Decision on shifted views, the one on unchanged images, report of test)."""

    def build(k=2):
        validation = simulate(300, k, split="val", seed=1)
        shifted = {"noise": validation.logits * 0.3 - 1.0}
        decision, other = fit_decisions(validation, decide_on=SHIFTED, shifted=shifted)
        return decision, other, evaluate_split(simulate(120, k), decision, other=other, n_boot=20)

    return build


def test_rows_have_the_figures_of_both_decisions_as_the_report_holds_them(decided):
    decision, other, report = decided()
    header, used, beside = decision_rows(report)
    assert header == ["decided on", "used", "rule", "threshold", "sensitivity", "specificity", "accuracy", "ECE"]
    assert used[:4] == [
        "unchanged images and shifted views",
        "yes",
        decision.threshold.rule,
        f"{decision.threshold.value:.6g}",
    ]
    assert beside[:4] == ["unchanged images alone", "no", other.threshold.rule, f"{other.threshold.value:.6g}"]
    assert used[4:7] == [estimate_text(report[name]) for name in header[4:7]]
    assert beside[4:7] == [estimate_text(report["other_decision"][name]) for name in header[4:7]]
    assert used[3] != beside[3]
    eces = [report["calibration"]["ece_after"], report["other_decision"]["ece"]]
    assert [used[7], beside[7]] == [f"{ece:.4f}" for ece in eces]


def test_three_classes_have_no_threshold_to_compare(decided):
    header, used, beside = decision_rows(decided(3)[2])
    assert header == ["decided on", "used", "accuracy", "ECE"] and len(used) == len(beside) == 4


def test_the_card_has_both_decisions_on_splits_that_they_were_not_fitted_on(decided):
    decision, other, report = decided()
    record = {"decision": decision.to_dict(), "other_decision": other.to_dict(), "data": {"positive": "PNEUMONIA"}}
    card = model_card(record, {"splits": {"val": report | {"fitted_here": True}, "test": report}}, CARD)
    assert card.count(CAPTION) == 1 and "chosen on: val, shifted views too)" in card
    assert "| test | unchanged images alone | no |" in card and "| val | unchanged images alone" not in card
    alone = report | {"other_decision": None}
    assert CAPTION not in model_card(record, {"splits": {"test": alone}}, CARD)


def test_one_operating_point_is_explained_where_another_could_have_been_asked_for(decided):
    _, _, report = decided()
    alone = report | {"other_decision": None}
    assert "needs 50 validation images of each class" in one_point({"config": {"decide_on": "clean"}}, alone)
    assert one_point({"config": {"decide_on": "clean"}}, report) is None
    assert one_point({"config": {"decide_on": "shifted"}}, alone) is None  # too few images: a message says so
    assert one_point({"config": {}}, alone) is None  # a detector has no such option
    assert one_point({"config": {"decide_on": "clean"}}, alone | {"threshold": None}) is None
