"""One class against all others."""

import pytest

from medxray.data.layouts.against_normal import against_normal
from medxray.data.layouts.labels import ABNORMAL, BY_NAME, LabelledFile
from medxray.errors import ConfigError, DataError


def rows(*labels):
    return [LabelledFile(f"{number}.png", label, "", "") for number, label in enumerate(labels)]


def labels(result):
    found, other = result
    return [row.label for row in found], other


def test_one_other_class_keeps_its_name():
    assert labels(against_normal(rows("NORMAL", "EDEMA"), BY_NAME, task="folders")) == (["NORMAL", "EDEMA"], "EDEMA")


def test_several_other_classes_become_one_and_the_files_stay():
    found, other = against_normal(rows("covid", "Normal", "tb", "NORMAL"), "normal", task="folders")
    assert [row.label for row in found] == [ABNORMAL, "Normal", ABNORMAL, "Normal"] and other == ABNORMAL
    assert [row.file for row in found] == ["0.png", "1.png", "2.png", "3.png"]


def test_what_becomes_abnormal_keeps_its_label_as_subtype_and_is_told_with_counts(caplog):
    with caplog.at_level("INFO", logger="medxray"):
        found, _ = against_normal(rows("tb", "covid", "TB", "normal", "covid", "tb"), "normal", task="folders")
    assert [row.subtype for row in found] == ["tb", "covid", "tb", "", "covid", "tb"]
    assert caplog.messages == ["ABNORMAL: tb (3), covid (2)"]


def test_many_labels_are_told_shortly(caplog):
    with caplog.at_level("INFO", logger="medxray"):
        against_normal(rows("fine", *(f"illness {number}" for number in range(40))), "fine", task="folders")
    assert caplog.messages[0].endswith("illness 11 (1) and 28 more labels")


def test_labels_that_are_abnormal_already_have_no_subtype_and_are_not_told(caplog):
    classes = ("NORMAL", ABNORMAL)
    with caplog.at_level("INFO", logger="medxray"):
        found, _ = against_normal(rows("abnormal", "NORMAL"), "NORMAL", task="folders", classes=classes)
    assert [(row.label, row.subtype) for row in found] == [(ABNORMAL, ""), ("NORMAL", "")] and not caplog.messages


@pytest.mark.parametrize(
    ("label", "normal"),
    [
        ("Healthy", "NORMAL"),
        ("No Finding", "NORMAL"),
        ("NORMALL", "NORMAL"),
        ("NORMAL2", "NORMAL"),
        ("Nromal", "normal"),
        ("helthy", "healthy"),
        ("NORMAL", "fine"),
        ("no-finding", "No Finding"),
        ("Normak", "Normal"),
        ("Clear lungs", "NORMAL"),
        ("No disease", "NORMAL"),
        ("No Fnding", "No Finding"),
        ("Normal A", "NORMAL"),
    ],
)
def test_another_name_of_the_normal_class_is_refused(label, normal):
    for classes in (None, (normal, ABNORMAL)):
        with pytest.raises(DataError) as caught:
            against_normal(rows(normal, label, "tb"), normal, task="folders", classes=classes)
        assert str(caught.value) == (
            f"Label '{label}' (1.png) is not the normal class {normal}, but seems to mean it. "
            f"Pass --label-map '{label}={normal}', or '{label}=ABNORMAL' if it is abnormal."
        )


@pytest.mark.parametrize(
    ("normal", "others"),
    [
        ("NORMAL", ("abnormal", "Abnormalities", "Not normal", "nodule", "PNEUMONIA")),
        ("healthy", ("unhealthy", "tb")),
        ("No Edema", ("edema", "edemas", "tb")),
        ("lung_n", ("lung_aca", "lung_scc", "lung_t")),
        ("grade 0", ("grade 1", "grade 10")),
        ("fine", ("fibrosis", "spine", "fire")),
        ("Normal", ("No Lung Opacity / Not Normal", "Lung Opacity", "Non-COVID", "Non-TB pneumonia", "Not sure")),
        ("normal", ("non-small cell", "benign", "anormal", "0")),
        ("No finding", ("New finding", "minor finding", "Finding")),
        ("grade A", ("grade B", "grade C")),
        ("stage I", ("stage II", "Stage IV")),
        ("Type_1", ("Type_2", "Type_12")),
        ("-", ("+", "?")),
    ],
)
def test_opposites_and_other_classes_of_similar_names_are_abnormal(normal, others):
    found, _ = against_normal(rows(normal, *others), normal, task="folders")
    assert [row.label for row in found] == [normal] + [ABNORMAL] * len(others)


@pytest.mark.parametrize("names", [("NORMAL", "NORMAL2"), ("Normal", "Healthy"), ("Normal", "Normak")])
def test_the_only_other_class_may_be_no_healthy_one_either(names):
    for data in (rows(*names), rows(*reversed(names))):
        with pytest.raises(DataError, match=f"^Label '{names[1]}' .* is not the normal class {names[0]}, but seems to"):
            against_normal(data, names[0], task="folders")


@pytest.mark.parametrize(
    "names", [("0", "1"), ("negative", "positive"), ("Non-COVID", "COVID"), ("No finding", "Finding")]
)
def test_two_classes_of_usual_names_stay_as_they_are(names):
    assert labels(against_normal(rows(*names), BY_NAME, task="folders")) == (list(names), names[1])


def test_a_single_class_is_refused_with_what_an_anomaly_run_needs():
    with pytest.raises(DataError, match="All images are of class Healthy; .* threshold and figures need abnormal"):
        against_normal(rows("Healthy", "healthy"), BY_NAME, task="folders")


def test_any_class_may_be_called_normal():
    assert labels(against_normal(rows("a", "b", "c"), "b", task="folders")) == ([ABNORMAL, "b", ABNORMAL], ABNORMAL)


@pytest.mark.parametrize(
    ("names", "normal", "task", "message"),
    [
        (("a", "b"), BY_NAME, "folders", "--normal must be one of a, b. The names do not say it."),
        (("NORMAL", "b"), "healthy", "folders", "--normal must be one of NORMAL, b. Received 'healthy'."),
        (("NORMAL", "healthy"), BY_NAME, "folders", "The names do not say it."),
        (("NORMAL", "PNEUMONIA"), "PNEUMONIA", "pneumonia", "--normal is NORMAL in the pneumonia task."),
        (("ABNORMAL", "b", "c"), "ABNORMAL", "folders", "--normal cannot be called ABNORMAL"),
    ],
)
def test_a_class_that_cannot_be_the_normal_one_is_refused(names, normal, task, message):
    with pytest.raises(ConfigError, match=message):
        against_normal(rows(*names), normal, task=task)


def test_the_classes_of_a_trained_model_are_kept():
    """Other data may have one, or other, abnormal classes than those the model was trained with."""
    classes = ("NORMAL", ABNORMAL)
    found = against_normal(rows("Normal", "tb"), "NORMAL", task="folders", classes=classes)
    assert labels(found) == (["Normal", ABNORMAL], ABNORMAL)


def test_three_class_folders_become_a_manifest_of_two_classes(tmp_path):
    import cv2
    import numpy as np

    from medxray.data.layouts.sources import load_manifest

    for name, count in (("covid", 2), ("normal", 3), ("tb", 1)):
        (tmp_path / name).mkdir()
        for number in range(count):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((40, 40), 10 * number, np.uint8))
    manifest = load_manifest(tmp_path, normal=BY_NAME)
    assert manifest.table["subtype"].tolist() == ["covid", "covid", "", "", "", "tb"]
    assert manifest.classes == ("normal", ABNORMAL) and manifest.positive == ABNORMAL
    assert manifest.labels().tolist() == [1, 1, 0, 0, 0, 1]
    again = load_manifest(tmp_path, task="folders", classes=manifest.classes, normal="normal")
    assert again.labels().tolist() == manifest.labels().tolist()
    given = load_manifest(tmp_path, normal=BY_NAME, label_map={"covid": "abnormal", "tb": ABNORMAL})
    assert given.table["subtype"].tolist() == manifest.table["subtype"].tolist()
    assert given.labels().tolist() == manifest.labels().tolist()
    plain = load_manifest(tmp_path, label_map={"covid": "abnormal", "tb": "abnormal"})
    assert set(plain.table["subtype"]) == {""}
