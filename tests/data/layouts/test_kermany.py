import pytest

from medxray.data.layouts import kermany


@pytest.mark.parametrize(
    ("stem", "patient", "subtype"),
    [
        ("person1000_bacteria_2931", "person1000", "bacterial"),
        ("person1000_virus_1681", "person1000", "viral"),
        ("person478_virus_975_1", "person478", "viral"),
        ("IM-0115-0001", "IM-0115", ""),
        ("IM-0115-0001-0002", "IM-0115", ""),
        ("NORMAL2-IM-0115-0001", "NORMAL2-IM-0115", ""),
        ("PERSON7_BACTERIA_1", "person7", "bacterial"),
        ("person7_fungus_1", "", ""),
        ("IM-0115", "", ""),
        ("copy of person7_virus_1", "", ""),
        ("", "", ""),
    ],
)
def test_patient_and_subtype_are_read_from_the_file_name(stem, patient, subtype):
    assert kermany.patient_id(stem) == patient
    assert kermany.subtype(stem) == subtype
