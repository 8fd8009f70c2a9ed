"""Shifted views of a run's images: logits, report, command, and the sample of the report after training."""

import json
import re

import numpy as np
import pytest

from medxray.data.image_keys import image_keys
from medxray.data.manifest import content_digest
from medxray.data.shifts.families import FAMILIES, GROUPS, VIEWS, families_of
from medxray.data.shifts.views import Shiftable
from medxray.evaluation import after_training, shift_sample
from medxray.evaluation.shift_sample import patients_in_order, sample_shifts
from medxray.evaluation.shift_text import group_rows, shift_lines
from medxray.evaluation.shifts import ShiftedLogits, report_shifts
from medxray.models.inference import logits_model
from medxray.runs.images import own_manifest

PER_VIEW = {"auroc", "sensitivity", "specificity", "ece"}  # what scripts rely on


@pytest.fixture(scope="module")
def predicted(trained):
    return trained.predict_manifest(own_manifest(trained, "test"), split="test")


@pytest.fixture(scope="module")
def report(trained, predicted):
    return report_shifts(trained, *predicted)


def test_logits_are_those_of_the_model_on_the_views_of_the_files(binary_run):
    """Six files of several shapes, letterboxed: each is shifted between its bars, by the key of its content."""
    manifest = own_manifest(binary_run, "test")
    _, pictures = binary_run.predict_manifest(manifest, split="test")
    found = ShiftedLogits(binary_run).predict(pictures, [("collimation", 3), ("shift", 2)])
    source, part = binary_run.form.readable(manifest)
    keys = image_keys(map(content_digest, part.files()))
    assert source.bars.any() and len(set(keys)) == len(part)
    pixels = np.stack(list(source.dataset(range(len(part))).as_numpy_iterator()))
    batch, model = Shiftable(pixels, keys, bars=source.bars), logits_model(binary_run.model)
    for view, logits in found.items():
        np.testing.assert_allclose(logits, model(batch.view(*view)), atol=1e-4)


def test_each_image_is_decoded_once_for_all_views(binary_run, monkeypatch):
    _, pictures = binary_run.predict_manifest(own_manifest(binary_run, "test"), split="test")
    decoded = []
    batches = type(pictures).batches

    def counted(self, size):
        decoded.append(len(self))
        return batches(self, size)

    monkeypatch.setattr(type(pictures), "batches", counted)
    ShiftedLogits(binary_run).predict(pictures, VIEWS[:6])
    assert decoded == [len(pictures)]


def test_the_report_has_every_family_and_severity(report, predicted):
    predictions, _ = predicted
    assert list(report["families"]) == list(FAMILIES) and list(report["groups"]) == list(GROUPS)
    for entry in report["families"].values():
        assert list(entry) == ["1", "2", "3"]
        for figures in entry.values():
            assert set(figures) >= PER_VIEW and figures["n"] == len(predictions)
            assert all(isinstance(figures[name], float) for name in PER_VIEW)
    assert set(report["mean_auroc"]) == set(report["balanced_accuracy"]) == {"value", "ci95"}
    aurocs = [figures["auroc"] for entry in report["families"].values() for figures in entry.values()]
    assert report["mean_auroc"]["value"] == pytest.approx(np.mean(aurocs))
    assert report["worst"]["auroc"]["value"] == min(aurocs)


@pytest.fixture
def few(monkeypatch):
    """One view of each group instead of all, which take long."""
    views = [(families_of(group)[-1], 2) for group in GROUPS]
    monkeypatch.setattr("medxray.evaluation.shifts.VIEWS", views)
    return views


def test_three_classes_have_a_report(subtype_run, few):
    predictions, pictures = subtype_run.predict_manifest(own_manifest(subtype_run, "test"), split="test")
    report = report_shifts(subtype_run, predictions, pictures)
    assert 0 <= report["mean_auroc"]["value"] <= 1 and report["clean"]["balanced_accuracy"] is not None


def test_evaluate_shifts_prints_the_figures_of_the_library_as_json(medxray, trained, report, few, without_plots):
    code, out, _ = medxray("evaluate", trained.path, "--shifts", "--json")
    printed = json.loads(out)
    assert code == 0 and printed["split"] == "test" and printed["shifts"]["clean"] == report["clean"]
    for name, severity in few:
        assert printed["shifts"]["families"][name][str(severity)] == report["families"][name][str(severity)]


def test_other_data_are_evaluated_under_shifts_and_the_table_has_the_groups(
    medxray, trained, few, without_plots, tmp_path
):
    medxray("data", "phantom", tmp_path / "other", "--patients", "6", "--size", "64", "--seed", "77")
    words = ("--data", tmp_path / "other", "--split", "train", "--shifts")
    code, out, _ = medxray("evaluate", trained.path, *words)
    assert code == 0 and "shifted views" in out and "mean of 6 views" in out
    assert all(re.search(rf"^{group} +\d", out, re.M) for group in ("all", *GROUPS))
    (file,) = (trained.path / "external").glob("other-*-train/metrics.json")
    families = json.loads(file.read_text())["splits"]["train"]["shifts"]["families"]
    assert [(name, int(severity)) for name, entry in families.items() for severity in entry] == few


def test_without_the_option_there_are_no_shifts(medxray, trained, without_plots):
    code, out, _ = medxray("evaluate", trained.path, "--json")
    assert code == 0 and "shifts" not in json.loads(out)


# the sample of the report after training


def test_the_beginning_of_the_order_of_patients_has_the_classes_in_their_proportions(make_predictions):
    truth = np.array([0] * 60 + [1] * 140)
    predictions = make_predictions(truth, np.zeros((200, 2)))
    order = patients_in_order(predictions)
    assert sorted(order) == sorted(predictions.patient_ids.tolist()) and order == patients_in_order(predictions)
    sick = np.array([int(name[1:]) >= 60 for name in order])
    for count in (10, 50, 100):
        assert sick[:count].mean() == pytest.approx(0.7, abs=0.051)
    assert order != sorted(order) and patients_in_order(predictions, seed=1) != order


@pytest.mark.slow
def test_a_sample_with_time_has_all_patients_where_they_are_few(trained, predicted, report):
    predictions, pictures = predicted
    found = sample_shifts(trained, predictions, pictures, seconds=1000)
    assert (found["n"], found["n_patients"]) == (len(predictions), predictions.n_patients)
    assert f"of all {predictions.n_patients} patients." in found["note"] and found["severity"] == 2
    for family, entry in found["families"].items():
        assert list(entry) == ["2"]
        assert entry["2"]["auroc"] == pytest.approx(report["families"][family]["2"]["auroc"], abs=1e-6)


def test_a_sample_takes_fewer_patients_where_time_is_short_and_says_so(trained, predicted, monkeypatch):
    predictions, pictures = predicted
    monkeypatch.setattr(shift_sample, "PATIENTS", (4, 3, 2))
    monkeypatch.setattr(shift_sample, "_VIEWS", [("crop", 2), ("marker", 2)])
    monkeypatch.setattr(shift_sample, "_seconds_per_image", lambda *parts, enough: 1.0)
    order = patients_in_order(predictions)
    images = int(np.isin(predictions.patient_ids, order[:3]).sum())
    found = sample_shifts(trained, predictions, pictures, seconds=images + 8)
    assert (found["n"], found["n_patients"]) == (images, 3)
    assert f"{images} images of 3 of {predictions.n_patients} patients (so that they take at most" in found["note"]
    whole = sample_shifts(trained, predictions, pictures, seconds=1000)
    assert whole["n_patients"] == 4 and "so that" not in whole["note"]


def test_a_sample_that_must_repeat_is_the_smallest_and_does_not_look_at_the_time(trained, predicted, monkeypatch):
    monkeypatch.setattr(shift_sample, "PATIENTS", (4, 3, 2))
    monkeypatch.setattr(shift_sample, "_VIEWS", [("crop", 2)])
    monkeypatch.setattr(shift_sample, "_seconds_per_image", None)
    found = sample_shifts(trained, *predicted, seconds=None)
    assert found["n_patients"] == 2 and "(a run with --deterministic takes no more)" in found["note"]


def test_the_time_is_a_tenth_of_the_run_so_far_and_not_asked_for_where_it_must_repeat():
    record = {"seconds": {"data": 10.0, "main": 20.0}, "config": {"deterministic": False}}
    assert after_training._seconds_for_shifts(record) == pytest.approx(3.0)
    assert after_training._seconds_for_shifts(record | {"config": {"deterministic": True}}) is None


def test_a_sample_without_time_is_left_out_with_a_note_after_one_view(trained, predicted, monkeypatch):
    calls = []
    of_batch = ShiftedLogits.of_batch
    monkeypatch.setattr(ShiftedLogits, "of_batch", lambda *parts: calls.append(1) or of_batch(*parts))
    found = sample_shifts(trained, *predicted, seconds=0.0)
    assert (found["n"], found["n_patients"]) == (0, 0) and found["note"].startswith("Shifted views are left out")
    assert len(calls) == 2 and shift_lines(found) == []


# words


def test_lines_and_rows_tell_means_and_the_worst_view(report):
    first, second = shift_lines(report)
    assert f"{report['mean_auroc']['value']:.3f}" in first and f"ECE {report['mean_ece']:.3f}" in first
    worst = report["worst"]["auroc"]
    assert f"AUROC {worst['value']:.3f}" in second and f"({worst['family']}, severity {worst['severity']})" in second
    header, *rows = group_rows(report)
    assert [row[0] for row in rows] == ["all", *GROUPS] and {len(row) for row in rows} == {len(header)}
