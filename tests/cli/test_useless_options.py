"""Options that would have no effect are errors."""

import pytest


@pytest.mark.parametrize("command", [["evaluate"], ["embed", "extract"]], ids=" ".join)
@pytest.mark.parametrize("words", [["--label-map", "a=NORMAL"], ["--patient-col", "person"]], ids=["map", "column"])
def test_options_that_say_how_data_is_read_need_data(medxray, command, words):
    status, _, err = medxray(*command, "runs/any", *words)
    assert status == 2 and f"{words[0]} says how --data is read. Give --data too" in err


def test_a_folder_for_pictures_of_neighbours_needs_neighbours(medxray, tmp_path):
    status, _, err = medxray("predict", "x.png", "--neighbors-out", tmp_path / "near")
    assert status == 2 and "--neighbors-out is for --neighbors N. Give it too, or leave it out" in err
