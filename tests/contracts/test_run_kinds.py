"""Every kind of run, driven from configuration through training, evaluation and export to its model card."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from medxray import TrainConfig, api
from medxray.export.parity import TOLERANCE
from medxray.run_kinds import KINDS
from medxray.runs.images import own_manifest
from medxray.training.config import config_from_dict
from tests.fixtures.bare_runs import leave_out_most, leave_out_plots
from tests.fixtures.closeness import assert_close

SMALL = {  # options of a run that takes seconds; a new kind adds its line
    "classifier": {"arch": "shallow-cnn", "epochs": 1, "augment": "light", "views": 0},
    "anomaly": {"method": "autoencoder", "epochs": 1, "bottleneck": 4},
    "ensemble": {"mc": 3},
}
ALWAYS_COMPARED = {"serving_default", "serve_bytes", "label", "embed", "gate"}


@pytest.fixture(  # an ensemble trains its members first; tests/ensemble has its own
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] * (name == "ensemble")) for name in KINDS]
)
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def config(kind, phantoms, tmp_path_factory):
    folder = tmp_path_factory.mktemp(kind.name)
    places = {"runs_dir": str(folder / "runs"), "export": False}
    if kind.name == "ensemble":
        return kind.config(members=_members(phantoms, folder), **places, **SMALL[kind.name])
    return kind.config(data=str(phantoms), image_size=32, batch_size=8, **places, **SMALL[kind.name])


def _members(phantoms, folder):
    """The runs that an ensemble is made of."""
    shared = {"data": str(phantoms), "image_size": 32, "export": False, "runs_dir": str(folder / "members")}
    with pytest.MonkeyPatch.context() as patch:
        leave_out_most(patch)
        return tuple(
            str(api.train(TrainConfig(**shared, **SMALL["classifier"], head_units=units, name=f"u{units}")).path)
            for units in (0, 8)
        )


@pytest.fixture(scope="module")
def run(config):
    with pytest.MonkeyPatch.context() as patch:
        leave_out_plots(patch)
        return api.train(config)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The run exported while its model card was lost."""
    stored = run.directory.card_file.read_text()
    run.directory.card_file.unlink()
    try:
        return run.export(tmp_path_factory.mktemp("export") / "served")
    finally:
        run.directory.card_file.write_text(stored)


def stored_reports(run):
    return json.loads(run.directory.metrics_file.read_text())["splits"]


def test_each_kind_is_driven_here():
    assert set(SMALL) == set(KINDS)


def test_the_configuration_says_its_kind_and_comes_back_from_the_record(kind, config, run):
    assert config.TYPE == kind.name == run.record["type"]
    again = config_from_dict(run.record["config"], source="run.json", kind=kind.config)
    assert type(again) is kind.config and again.to_dict() == run.record["config"]


def test_a_trained_run_carries_its_kind_and_predicts(kind, run, phantoms):
    assert type(run) is kind.trained and run.kind is kind and type(api.load_run(run.path)) is kind.trained
    table = run.predict([phantoms])
    assert (table["error"] == "").all() and set(table["label"]) <= set(run.classes)


def test_training_and_both_ways_of_evaluating_give_the_same_report(run, without_plots):
    report, folder = run.write_evaluation()
    assert_close(run.evaluate(own_manifest(run)), report)
    assert json.loads((folder / "metrics.json").read_text())["splits"] == {"test": report}
    trained = stored_reports(run)["test"]
    assert trained["notes"] == report["notes"] and set(trained) == {*report, "shifts_sample"}
    assert trained["auroc"]["value"] == pytest.approx(report["auroc"]["value"], abs=1e-6)
    assert list(run.notes) == report["notes"][: len(run.notes)]


def test_each_kind_is_evaluated_under_shifted_views(run, without_plots, monkeypatch):
    monkeypatch.setattr("medxray.evaluation.shifts.VIEWS", [("crop", 1), ("marker", 3)])  # all of them take long
    report, folder = run.write_evaluation(shifts=True)
    assert json.loads((folder / "metrics.json").read_text())["splits"]["test"]["shifts"] == report["shifts"]
    assert (folder / "plots" / "test_shifts.png").is_file()
    assert report["shifts"]["n"] == report["n"]
    clean = report["shifts"]["clean"]
    assert clean["auroc"] == pytest.approx(report["auroc"]["value"])
    assert clean["balanced_accuracy"] == pytest.approx(report["balanced_accuracy"]["value"])


def test_the_report_after_training_has_shifted_views_of_test_patients_or_says_that_time_was_short(run):
    reports = stored_reports(run)
    assert "shifts_sample" not in reports.get("train", {}) and "shifts_sample" not in reports["val"]
    sample = reports["test"]["shifts_sample"]
    assert sample["severity"] == 2 and 0 <= sample["n"] <= reports["test"]["n"]
    assert "Shifted views" in sample["note"] and sample["note"].split(".")[0] in run.directory.card_file.read_text()


def test_further_figures_are_named_by_the_kind(kind, run):
    common = set.intersection(*(set(evaluation_keys(report)) for report in stored_reports(run).values()))
    assert {name for name in common if name in kind.figures} == set(kind.figures)


def evaluation_keys(report):
    return [name for name, value in report.items() if isinstance(value, dict) and "ci95" in value]


def test_the_export_has_the_signatures_of_the_kind_and_agrees_with_the_run(kind, exported):
    loaded = tf.saved_model.load(str(exported.path))
    assert set(loaded.signatures) == {*kind.serving.NAMES, *filter(None, kind.serving.EXPLAINED.split(","))}
    assert set(exported.parity) > ALWAYS_COMPARED
    assert all(0 <= difference <= TOLERANCE for difference in exported.parity.values())


def test_the_model_card_speaks_of_this_kind_alone(kind, run):
    card = run.directory.card_file.read_text()
    assert kind.card.intended in card and kind.card.caveats in card
    for other in KINDS.values():
        assert other is kind or (other.card.intended not in card and other.card.caveats not in card)


def test_an_export_without_a_stored_card_writes_the_card_of_the_kind(run, exported):
    card = run.directory.card_file.read_text()
    assert (exported.path / "assets.extra" / "model_card.md").read_text() == card


def test_predict_asks_the_gate_that_was_fitted_again(run, phantoms, monkeypatch):
    fresh = api.load_run(run.path)
    assert fresh.predict([phantoms])["in_distribution"].any()
    strict = dataclasses.replace(fresh.gate, scales=np.full_like(fresh.gate.scales, 1e-6))  # it accepts nothing
    monkeypatch.setattr("medxray.gate.run_gate.refit", lambda run: strict)
    assert fresh.refit_gate() is strict is fresh.gate
    assert not fresh.predict([phantoms])["in_distribution"].any()
