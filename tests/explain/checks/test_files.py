"""What a newer check leaves of an older one."""

import json

import pytest

from medxray.explain.checks.files import write_report
from medxray.explain.checks.usual_method import usual_method
from medxray.plots import style
from medxray.plots.explanations import FaithfulnessDisplay, RandomisationDisplay
from medxray.runs.directory import RunDir


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Function (**method=passed) -> the report that a check of these methods leaves in the test split of a run."""
    for display in (FaithfulnessDisplay, RandomisationDisplay):
        monkeypatch.setattr(display, "plot", lambda self: None)
    monkeypatch.setattr(style, "save", lambda figure, path: None)
    files = RunDir(tmp_path).own_evaluation("test").explanations

    def write(*, in_run=True, n=8, **passed):
        checked = {"n": n, "rank_correlation": 0.5, "between_images": 0.25, "ssim": 0.1, "depths": []}
        methods = {name: {"randomisation": {"passed": value} | checked} for name, value in passed.items()}
        report = write_report({"methods": methods}, files, in_run=in_run)
        assert json.loads(files.report_file.read_text()) == report
        return report

    return write


def test_verdicts_of_methods_that_a_newer_check_does_not_ask_are_kept(check, tmp_path):
    assert check(gradcam=False, layercam=True)["earlier"] == {}
    found = check(rise=True)
    assert found["earlier"]["gradcam"] == {"passed": False, "n": 8, "rank_correlation": 0.5, "between_images": 0.25}
    assert set(check(saliency=False)["earlier"]) == {"gradcam", "layercam", "rise"}
    assert usual_method(RunDir(tmp_path)) == "layercam"


def test_a_newer_verdict_of_a_method_replaces_the_older_one(check, tmp_path):
    check(gradcam=False, layercam=True)
    check(rise=True)
    assert set(check(gradcam=True)["earlier"]) == {"layercam", "rise"}
    assert usual_method(RunDir(tmp_path)) == "gradcam"
    assert check(rise=True)["earlier"]["gradcam"]["passed"] is True


def test_in_a_folder_that_may_be_of_another_run_nothing_is_kept(check):
    check(gradcam=False)
    assert check(in_run=False, rise=True)["earlier"] == {}


def test_a_file_that_cannot_be_read_is_replaced_and_told_of(check, tmp_path, caplog):
    file = RunDir(tmp_path).own_evaluation("test").explanations.report_file
    file.parent.mkdir(parents=True)
    file.write_text("[]")
    assert check(rise=True)["earlier"] == {} and f"{file} cannot be read" in caplog.text
