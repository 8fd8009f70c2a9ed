"""The section that shows what it gives to answer "unsure"."""

import pytest

from medxray.evaluation.unsure_text import lines_of_record
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import read_predictions
from medxray.metrics.unsure import fit_unsure
from medxray.metrics.unsure_report import report_unsure, risk_coverage
from medxray.report.contents import read_contents
from medxray.report.sections.unsure import unsure
from medxray.system import storage
from tests.fixtures.stored_runs import write_stored_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a skilled model with many patients, which holds prediction sets and abstention."""
    run = write_stored_run(tmp_path_factory.mktemp("unsure"), n=800, skill=6.0, images=False)
    record, metrics = storage.read_json(run.record_file), storage.read_json(run.metrics_file)
    parts, decision = read_predictions(run.predictions_file), Decision.from_dict(record["decision"])
    found = fit_unsure(parts["val"], decision)
    metrics["splits"]["test"]["unsure"] = report_unsure(parts["test"], decision, found)
    storage.write_json(run.metrics_file, metrics)
    storage.write_json(run.record_file, record | {"unsure": found.to_dict()})
    return run


def test_the_curve_and_the_stored_points_are_those_of_the_report(run):
    contents = read_contents(run.path)
    curve, *rest = unsure(contents).charts["risk_coverage"]["series"]
    answered, error = risk_coverage(contents.predictions, contents.decision)
    assert curve["x"] == pytest.approx(answered, abs=1e-5) and curve["y"] == pytest.approx(error, abs=1e-5)
    asked, met = rest[:2]
    point = contents.report["unsure"]["abstain"][0]
    assert set(asked["y"]) == {point["risk"]} == {0.05}
    assert met["x"] == [pytest.approx(point["answered"]["value"], abs=1e-5)]
    assert met["y"] == [pytest.approx(point["error"]["value"], abs=1e-5)]


def test_what_is_promised_stands_beside_it(run):
    contents = read_contents(run.path)
    body = unsure(contents).body
    assert all(line in body for line in lines_of_record(contents.record))
    assert "prediction sets at 97.5 %" in body and "error among answered" in body


def test_a_run_that_stored_nothing_says_how_to_compute_it(stored_run):
    section = unsure(read_contents(stored_run.path))
    assert f"medxray unsure {stored_run.path}" in section.body and "risk_coverage" in section.charts


def test_a_detector_has_no_such_section(tmp_path):
    assert unsure(read_contents(write_stored_run(tmp_path, kind="anomaly", images=False).path)) is None
