"""What the Python interface offers of explanations; the commands, which call the same, are tested by themselves."""

import logging
from types import SimpleNamespace

import pytest

from medxray.explain import explainable, folder, several
from medxray.explain.cohort.cohort import CohortRequest
from medxray.explain.explainable import _with_request
from medxray.explain.several import requests_for
from medxray.runs.directory import RunDir
from medxray.system import storage


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


@pytest.mark.parametrize(
    ("methods", "layer", "passed", "told"),
    [
        ("gradcam", None, {"gradcam": False, "layercam": True}, True),
        ("cam,gradcam", "last", {"gradcam": False, "layercam": True}, True),
        ("gradcam", "first", {"gradcam": False, "layercam": True}, False),  # another layer was not checked
        ("gradcam", None, {"gradcam": True, "layercam": True}, False),
        ("gradcam", None, {}, False),
        ("layercam", None, {"gradcam": False, "layercam": True}, False),
    ],
)
def test_where_gradcam_failed_its_check_one_line_says_so(tmp_path, monkeypatch, caplog, methods, layer, passed, told):
    run = _Plain(RunDir(tmp_path))
    verdicts = {name: {"randomisation": {"passed": value}} for name, value in passed.items()}
    storage.write_json(run.directory.own_evaluation("test").explanations.report_file, {"methods": verdicts})
    monkeypatch.setattr(several, "requests_of", lambda run, methods, **wanted: requests_for(methods, **wanted))
    monkeypatch.setattr(folder, "write_heatmaps", lambda run, paths, out, *requests, **how: "written")
    with caplog.at_level(logging.WARNING):
        assert run.write_heatmaps(["x.png"], tmp_path, methods=methods, layer=layer) == "written"
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == int(told)
    assert not told or "gradcam fails on this run" in lines[0] and lines[0].endswith("These passed: layercam.")


class _Plain(explainable.Explainable):
    """A run of which only the directory and the usual layer are known."""

    def __init__(self, directory):
        self.directory, self.architecture = directory, SimpleNamespace(heat_layer="last")


@pytest.mark.parametrize("module", ["cohort.cohort.write_cohort", "audit.audit.write_audit"])
def test_cohort_and_audit_say_it_too(tmp_path, monkeypatch, caplog, module):
    run = _Plain(RunDir(tmp_path))
    failed = {"methods": {"gradcam": {"randomisation": {"passed": False}}}}
    storage.write_json(run.directory.own_evaluation("test").explanations.report_file, failed)
    monkeypatch.setattr(f"medxray.explain.{module}", lambda run, data, **how: "written")
    write = getattr(run, module.rpartition(".")[2])
    with caplog.at_level(logging.WARNING):
        assert write(method="layercam") == "written" and not caplog.records
        assert write() == "written"
    (line,) = caplog.records
    assert line.getMessage().endswith("No method that was checked passed.")
