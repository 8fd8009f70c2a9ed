"""The most confident errors."""

import numpy as np

from medxray.metrics.decision import Decision
from medxray.metrics.failures import confident_errors, error_records
from medxray.metrics.thresholds import OperatingPoint

AT_HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))


def logit_of(probabilities):
    probabilities = np.asarray(probabilities)
    return np.stack([np.zeros(len(probabilities)), np.log(probabilities / (1 - probabilities))], axis=1)


def test_errors_are_split_by_kind_and_sorted_by_confidence(make_predictions):
    part = make_predictions([0, 0, 0, 1, 1, 1], logit_of([0.6, 0.9, 0.1, 0.4, 0.05, 0.8]))
    found = confident_errors(part, AT_HALF)
    assert found["false_positives"].tolist() == [1, 0]
    assert found["false_negatives"].tolist() == [4, 3]
    assert confident_errors(part, AT_HALF, k=1)["false_negatives"].tolist() == [4]


def test_the_threshold_decides_what_is_an_error(make_predictions):
    part = make_predictions([0, 1], logit_of([0.6, 0.65]))
    strict = Decision(OperatingPoint(0.7, "youden", "val"))
    assert confident_errors(part, strict)["false_negatives"].tolist() == [1]
    assert not len(confident_errors(part, strict)["false_positives"])


def test_equally_confident_errors_keep_their_order(make_predictions):
    part = make_predictions([0] * 4, logit_of([0.8] * 4))
    assert confident_errors(part, AT_HALF, k=3)["false_positives"].tolist() == [0, 1, 2]


def test_three_classes_are_sorted_by_the_probability_of_the_wrong_label(make_predictions):
    part = make_predictions([0, 0, 2], [[0, 1, 0], [0, 0, 5], [0, 0, 9]])
    decision = Decision(None)
    assert confident_errors(part, decision)["misclassified"].tolist() == [1, 0]
    record = error_records(part, decision)["misclassified"][0]
    assert (record["y_true"], record["label"]) == ("NORMAL", "VIRAL")
    assert record["probability"] > 0.98


def test_records_name_image_patient_and_probability_of_the_positive_class(make_predictions):
    part = make_predictions([1], logit_of([0.25]), patients=[7])
    assert error_records(part, AT_HALF)["false_negatives"] == [
        {"path": "test/0000.png", "patient_id": "p7", "y_true": "PNEUMONIA", "label": "NORMAL", "probability": 0.25}
    ]
