"""The report of a run that was really trained, and its heatmaps."""

import shutil

import numpy as np
import pytest

from medxray.report.chosen import error_rows, sample_rows, shown_rows
from medxray.report.contents import read_contents
from medxray.report.heat import read_heats
from medxray.report.report import report_page
from medxray.runs.directory import RunDir


@pytest.fixture
def copied(trained, tmp_path):
    shutil.copytree(trained.path, tmp_path / "small")
    return RunDir(tmp_path / "small")


def test_the_heatmaps_of_the_report_are_those_of_gradcam_and_are_computed_once(copied, medxray, monkeypatch):
    status, out, err = medxray("report", copied.path, "--gallery")
    assert (status, out.strip()) == (0, str(copied.report_file)), err
    contents = read_contents(copied.path)
    heats = read_heats(copied.gallery_file)
    assert set(heats.paths) == {contents.predictions.paths[row] for row in shown_rows(contents)}
    assert len(heats.paths) <= 48 and set(heats.targets) == {contents.predictions.positive}
    page, written = copied.report_file.read_text(encoding="utf-8"), copied.gallery_file.stat().st_mtime_ns
    assert page.count('class="heat"') == len(sample_rows(contents)) + sum(map(len, error_rows(contents).values()))
    assert 'id="heat-switch"' in page

    def again(*parts):
        raise AssertionError("the run holds its heatmaps")

    monkeypatch.setattr("medxray.report.heatmaps.heatmaps_for", again)
    status, _, err = medxray("report", copied.path, "--gallery")
    assert status == 0 and copied.gallery_file.stat().st_mtime_ns == written
    assert copied.report_file.read_text(encoding="utf-8") == page


def test_a_heatmap_lies_where_gradcam_finds_it(copied, trained):
    from medxray.explain.overlay import crop_to_image
    from medxray.report.heat import SIDE
    from medxray.report.heatmaps import keep_heatmaps

    keep_heatmaps(type(trained)(copied, trained.kind))
    contents, heats = read_contents(copied.path), read_heats(copied.gallery_file)
    (file,) = contents.files_of(heats.paths[:1])
    (heatmap,), _ = trained.gradcam([file])
    heat = crop_to_image(heatmap.heatmap, heatmap.box)
    assert heats.heats[0].shape == (SIDE, SIDE)
    assert heats.heats[0].mean() / 255 == pytest.approx(heat.mean(), abs=0.02)
    assert np.unravel_index(heats.heats[0].argmax(), (SIDE, SIDE))[0] / SIDE == pytest.approx(
        np.unravel_index(heat.argmax(), heat.shape)[0] / heat.shape[0], abs=0.1
    )


def test_the_sample_of_shifted_views_after_training_is_shown(trained):
    page = report_page(read_contents(trained.path))
    assert ('id="shifts"' in page) == bool(read_contents(trained.path).shifts)
    assert 'id="history"' in page and "stage head" in page


def test_training_ends_with_the_report_and_a_report_that_fails_spoils_no_run(copied, trained, medxray, monkeypatch):
    monkeypatch.setattr("medxray.api.train", lambda config: type(trained)(copied, trained.kind))
    status, out, _ = medxray("train", "--data", "somewhere", "--arch", "shallow-cnn")
    assert status == 0 and f"Report: {copied.report_file}" in out.splitlines() and copied.report_file.is_file()
    copied.report_file.unlink()
    copied.predictions_file.unlink()
    shutil.rmtree(copied.path / "evaluations", ignore_errors=True)  # the newest evaluation would do
    status, out, err = medxray("train", "--data", "somewhere", "--arch", "shallow-cnn")
    assert status == 0 and "Report:" not in out and not copied.report_file.exists()
    assert "Warning: the run is complete, but its report was not written. Cannot read the predictions" in err
