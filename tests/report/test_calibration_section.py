"""The section on calibration of a run whose probabilities were calibrated, and of one where nothing was fitted."""

import dataclasses

import pytest

from medxray.metrics.calibration import Calibration
from medxray.report.contents import read_contents
from medxray.report.sections.calibration import calibration, scores


@pytest.mark.parametrize("fitted", [True, False])
def test_only_what_was_fitted_is_called_calibrated(stored_run, fitted):
    contents = read_contents(stored_run.path)
    if not fitted:
        contents = dataclasses.replace(
            contents, decision=dataclasses.replace(contents.decision, calibration=Calibration())
        )
    section = calibration(contents)
    names = [one["name"] for one in section.charts["reliability"]["series"][:-1]]
    assert names == ["perfect calibration", "not calibrated"] + (["calibrated"] if fitted else [])
    assert ("No calibration was fitted." in section.body) != fitted
    for chart in (section.charts["reliability"], scores(contents).charts["scores"]):
        assert ("(not calibrated)" in chart["x"]["title"]) != fitted
