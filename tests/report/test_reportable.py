"""What a run shows of itself in a notebook."""

import html
import os
import re
import shutil

import pytest

from medxray.metrics.prediction_table import read_predictions
from medxray.report.reportable import Reportable, ReportFile
from medxray.runs.directory import RunDir


class Stored(Reportable):
    """A run without a model."""

    def __init__(self, directory):
        self.directory, self.path, self.name = directory, directory.path, directory.name
        self.record = directory.read_record()


@pytest.fixture
def run(stored_run, tmp_path):
    shutil.copytree(stored_run.path, tmp_path / "run")
    return Stored(RunDir(tmp_path / "run"))


def test_a_run_shows_what_it_is_and_its_figures(run):
    shown = run._repr_html_()
    assert "<strong>run</strong>" in shown and "shallow-cnn" in shown and str(run.path) in shown
    assert "AUROC" in shown and re.search(r"0\.\d{3} \[0\.\d{3}, ", shown)
    assert repr(run) == f"<Stored {run.path}>"


def test_a_run_that_is_not_evaluated_says_so(run):
    run.directory.update_record(state="interrupted")
    assert "finish it with" in run._repr_html_() and "<script" not in run._repr_html_()


def test_a_report_is_a_file_that_a_notebook_shows_as_it_is(run, tmp_path):
    report = run.report()
    assert isinstance(report, ReportFile) and os.fspath(report) == str(report) == str(run.directory.report_file)
    source = re.search(r'<iframe srcdoc="([^"]*)"', report._repr_html_())[1]
    assert html.unescape(source) == run.directory.report_file.read_text(encoding="utf-8")
    assert 'sandbox="allow-scripts"' in report._repr_html_()
    assert run.report(tmp_path / "other.html").path == tmp_path / "other.html"


def test_predictions_show_their_first_rows(run):
    shown = read_predictions(run.directory.predictions_file)["test"]._repr_html_()
    assert shown.startswith("<p>test: 60 images, 30 patients</p>") and shown.count("<tr") == 11
    assert "raw_PNEUMONIA" in shown and "test/000.png" in shown
