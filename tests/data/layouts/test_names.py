import pytest

from medxray.data.layouts.names import is_clearly_healthy, is_healthy, letters, nearest, opposites


@pytest.mark.parametrize(
    "name", ["NORMAL", "Healthy", "no finding", "No_Edema", "non-edema", "negative", "0", "Without pneumonia"]
)
def test_healthy_names_are_known(name):
    assert is_healthy(name)


@pytest.mark.parametrize("name", ["PNEUMONIA", "abnormal", "nodule", "edema", "1", "positive", "NOTCH", "normal2"])
def test_other_names_are_not_healthy(name):
    assert not is_healthy(name)


@pytest.mark.parametrize("name", ["normal lung", "Healthy Controls", "no acute finding", "Normal-CXR", "nothing found"])
def test_a_name_that_means_healthy_beside_any_class_names_a_healthy_folder_too(name):
    assert is_clearly_healthy(name) and is_healthy(name)


@pytest.mark.parametrize("name", ["benign", "0", "no", "absent", "neg", "non-edema"])
def test_what_may_be_a_finding_beside_a_normal_class_is_not_clearly_healthy(name):
    assert is_healthy(name) and not is_clearly_healthy(name)


def test_letters_are_compared_without_case_and_punctuation():
    assert letters("No-Finding_ 2") == "nofinding2" and letters("??") == "??"


def test_the_opposite_of_a_name_is_no_misspelling_of_it():
    assert nearest("pnemonia", ["PNEUMONIA", "NORMAL"]) == "PNEUMONIA"
    assert nearest("abnormal", ["PNEUMONIA", "NORMAL"]) is None
    assert {"abnormal", "unnormal", "nonnormal"} <= opposites("Normal") and "edema" in opposites("no edema")
