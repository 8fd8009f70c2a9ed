"""Patient ids that anonymisation has left."""

import pytest

from medxray.data.layouts.labels import LabelledFile
from medxray.data.layouts.patients import without_artefacts
from medxray.data.layouts.sources import load_manifest


def rows_of(*groups):
    """LabelledFile rows from (label, patient, number)."""
    return [
        LabelledFile(f"{label}{patient}{n}.png", label, patient, "")
        for label, patient, count in groups
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("groups", "left"),
    [
        ([("A", "ANON", 14), ("B", "ANON", 14)], set()),
        ([("A", "ANON", 14), ("B", "ANON", 13), ("B", "real", 1)], {"real"}),
        ([("A", "x", 14), ("B", "y", 14)], set()),
        ([("A", "x", 8), ("A", "z", 6), ("B", "y", 14)], {"x", "y", "z"}),
        ([("A", "x", 4), ("B", "x", 4)], {"x"}),
        ([("A", "x", 14), ("B", "y", 7), ("B", "z", 7)], {"x", "y", "z"}),
        ([("A", "", 20), ("B", "", 20)], set()),
    ],
)
def test_an_id_of_nearly_all_images_is_not_used(groups, left, caplog):
    rows = without_artefacts(rows_of(*groups))
    assert {row.patient_id for row in rows} - {""} == left
    used = {patient for _, patient, _ in groups} - {""}
    assert ("which anonymisation has left" in caplog.text) == (left != used)


def test_a_patient_column_with_one_value_is_told_and_not_used_for_grouping(make_tree, caplog):
    folder = make_tree(*(f"{n}.png" for n in range(20)))
    lines = [f"{n}.png,{'NORMAL' if n % 2 else 'PNEUMONIA'},0" for n in range(20)]
    (folder / "t.csv").write_text("\n".join(["file,finding,who", *lines]))
    manifest = load_manifest(folder / "t.csv", path_col="file", label_col="finding", patient_col="who")
    assert not manifest.grouped and len(set(manifest.patients())) == 20
    assert "20 of 20 images have the patient id 0, which anonymisation has left" in caplog.text
