"""Commands that change what a report shows write it again."""

import shutil
import types

import pytest

from medxray.cli.report import renew_report
from medxray.runs.directory import RunDir
from medxray.studies.compared_report import write_report


@pytest.fixture
def run(stored_run, tmp_path):
    """A copy of the run with a report that is old."""
    shutil.copytree(stored_run.path, tmp_path / "run")
    directory = RunDir(tmp_path / "run")
    directory.report_file.write_text("old")
    return types.SimpleNamespace(directory=directory, path=directory.path)


def test_what_the_report_shows_makes_a_new_one(run, capsys):
    renew_report(run, run.directory.own_evaluation("test").shortcut_audit.path)
    assert run.directory.report_file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert capsys.readouterr().err == f"Report: {run.directory.report_file}\n"
    run.directory.report_file.write_text("old")
    renew_report(run, run.directory.embeddings_file)
    assert run.directory.report_file.read_text(encoding="utf-8") != "old"


def test_what_it_does_not_show_leaves_it_and_no_report_is_made_where_there_was_none(run, tmp_path, capsys):
    renew_report(run, run.directory.external_folder("site-test"), tmp_path / "elsewhere")
    assert run.directory.report_file.read_text(encoding="utf-8") == "old"
    run.directory.report_file.unlink()
    renew_report(run, run.directory.own_evaluation("test").path)
    assert not run.directory.report_file.exists() and capsys.readouterr() == ("", "")


def test_a_report_beside_other_runs_stays_and_the_line_says_how_to_renew_it(run, three_classes, stored_run, capsys):
    write_report(run.path, compare=[stored_run.path])
    before = run.directory.report_file.read_bytes()
    renew_report(run, run.directory.own_evaluation("test").path)
    assert run.directory.report_file.read_bytes() == before
    assert f"medxray report {run.path} --compare RUN..." in capsys.readouterr().err


def test_a_report_that_cannot_be_written_spoils_nothing(run, capsys):
    run.directory.predictions_file.unlink()
    renew_report(run, run.directory.own_evaluation("test").path)
    assert "was not written again. Cannot read the predictions" in capsys.readouterr().err


def test_evaluate_renews_it(run, medxray, monkeypatch):
    report = {"split": "test"}
    loaded = types.SimpleNamespace(directory=run.directory, path=run.path, kind=types.SimpleNamespace(figures=()))
    loaded.write_evaluation = lambda data, **how: (report, run.directory.own_evaluation("test").path)
    monkeypatch.setattr("medxray.api.load_run", lambda path: loaded)
    status, _, err = medxray("evaluate", run.path, "--json")
    assert status == 0 and f"Report: {run.directory.report_file}" in err
