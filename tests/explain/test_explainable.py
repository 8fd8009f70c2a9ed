"""What the Python interface offers of explanations; the commands, which call the same, are tested by themselves."""

import pytest

from medxray.explain.cohort.cohort import CohortRequest
from medxray.explain.explainable import _with_request


def test_the_fields_of_a_request_are_taken_out_of_the_keyword_arguments():
    found = _with_request(CohortRequest, {"images": 7, "split": "val", "out": "there", "method": "cam"})
    assert found == {"split": "val", "out": "there", "request": CohortRequest(method="cam", images=7)}


def test_heatmaps_of_several_methods_are_written(binary_run, image_files, tmp_path):
    files = image_files(binary_run)[:1]
    written = binary_run.write_heatmaps(files, tmp_path, methods="gradcam,cam", raw=True)
    stem = f"{files[0].stem}-PNEUMONIA"
    expected = {f"{stem}-{method}.{kind}" for method in ("gradcam", "cam") for kind in ("png", "npz")}
    assert {file.name for file in written.files} == expected == {file.name for file in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("name", "file"), [("write_cohort", "cohort.json"), ("write_audit", "audit.json"), ("write_checks", None)]
)
def test_reports_take_the_options_of_their_commands(binary_run, tmp_path, name, file):
    methods = {"methods": "gradcam"} if name == "write_checks" else {"method": "cam"}
    report, folder = getattr(binary_run, name)(images=4, seed=1, out=tmp_path / "out", **methods)
    assert report["n"] == 4 and folder == tmp_path / "out"
    assert (folder / (file or "explanations.json")).exists()


@pytest.mark.parametrize("name", ["write_cohort", "write_audit", "write_checks"])
def test_an_option_that_does_not_exist_is_an_error(binary_run, name):
    with pytest.raises(TypeError, match="There is no option 'imagse'. There are .*exclude_known, images, label_map, "):
        getattr(binary_run, name)(imagse=4)
