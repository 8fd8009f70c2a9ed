"""Folders of pulmonary edema: present or not, and graded."""

import pytest

from medxray.data.layouts.names import edema_grade, in_order
from medxray.data.layouts.sources import load_manifest


@pytest.mark.parametrize(
    ("healthy", "sick"),
    [
        ("normal", "edema"),
        ("no edema", "edema"),
        ("No_Oedema", "Oedema"),
        ("non-edema", "pulmonary edema"),
        ("no finding", "Pulmonary_Oedema"),
        ("control", "cardiogenic edema"),
    ],
)
def test_edema_is_the_positive_class(make_tree, healthy, sick):
    manifest = load_manifest(make_tree(f"{sick}/a.png", f"{healthy}/b.png"))
    assert (manifest.task, manifest.classes, manifest.positive) == ("folders", (healthy, sick), sick)


def test_edema_in_splits_keeps_them(make_tree):
    names = [f"{split}/{label}/{split}.png" for split in ("train", "val", "test") for label in ("normal", "edema")]
    manifest = load_manifest(make_tree(*names))
    assert manifest.positive == "edema" and sorted(set(manifest.table["split"])) == ["test", "train", "val"]


GRADED = [
    ("no edema", "vascular congestion", "interstitial", "alveolar"),
    ("normal", "Vascular_Congestion", "interstitial edema", "Alveolar Oedema"),
    ("none", "cephalization", "interstitial pulmonary edema", "alveolar edema"),
    ("0", "1", "2", "3"),
]


@pytest.mark.parametrize("grades", GRADED)
def test_grades_stand_from_mild_to_severe_and_none_is_positive(make_tree, grades):
    manifest = load_manifest(make_tree(*(f"{grade}/x.png" for grade in reversed(grades))))
    assert (manifest.task, manifest.classes, manifest.positive) == ("folders", grades, None)


def test_other_names_stand_by_letters_and_numbers_by_value():
    assert in_order(["10", "9", "2"]) == ("2", "9", "10")
    assert in_order(["interstitial", "alveolar"]) == ("alveolar", "interstitial")
    assert in_order(["normal", "interstitial", "mass"]) == ("interstitial", "mass", "normal")
    assert in_order(["none", "normal", "alveolar"]) == ("alveolar", "none", "normal")
    assert [edema_grade(name) for name in ("Alveolar oedema", "edema", "mass")] == [3, None, None]
