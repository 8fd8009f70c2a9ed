"""Reports of evaluations as a notebook shows them."""

import json

from medxray.evaluation.shown import ShownReport
from medxray.system import storage
from tests.fixtures.stored_runs import write_stored_run


def test_a_report_shows_figures_and_remarks_and_stays_a_dict(tmp_path):
    stored = storage.read_json(write_stored_run(tmp_path, n=24, images=False).metrics_file)["splits"]["test"]
    report = ShownReport(stored | {"notes": ["<b>bold</b>"]})
    shown = report._repr_html_()
    assert "test: 24 images, 12 patients" in shown and "balanced accuracy" in shown
    assert "<li>&lt;b&gt;bold&lt;/b&gt;</li>" in shown
    assert json.loads(json.dumps(report))["n"] == 24
