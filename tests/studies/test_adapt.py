"""Adapting a run to another place: what is written, what is refused, and the prevalence without labels."""

import dataclasses
import hashlib
import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from medxray import api
from medxray.errors import ConfigError, DataError, RunError
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import write_predictions
from medxray.run_kinds import ANOMALY
from medxray.runs.images import own_manifest
from medxray.runs.listing import listed_runs
from medxray.studies import adapt_text, site
from medxray.studies.adapt import SiteOptions, adapt
from medxray.studies.unlabelled import prevalence_report, thresholds_for
from medxray.system import storage
from tests.fixtures.sites import COLUMNS, LABELS, write_pictures, write_site
from tests.fixtures.small_runs import write_run

CLASSES = ("NORMAL", "PNEUMONIA")
GIVEN = SiteOptions(prevalence="0.2")
_DECISION = {
    "threshold": {"value": 0.6, "rule": "youden", "chosen_on": "val"},
    "temperature": 2.0,
    "bias": [0.0, 4.0],
}


def write_own(folder):
    """A run with ten validation and ten test images, and predictions of the test split."""
    images = folder / "own"
    names = [f"{label}/{split}{n}.png" for split in ("val", "test") for label in CLASSES for n in range(5)]
    write_pictures(images, names, first=0)
    form = {"size": 32, "classes": CLASSES, "channels": 1, "resize": "letterbox", "images": images}
    directory = write_run(folder / "run", "shallow-cnn", **form)
    data = directory.read_record()["data"] | {"source": str(images)}
    directory.update_record(decision=_DECISION, data=data, name="run", config=directory.read_record()["config"])
    rows = [(name, *name.split("/")) for name in sorted(names)]
    table = pd.DataFrame(
        [(path, label, "", f"own-{file}", file.rstrip("0123456789.png")) for path, label, file in rows],
        columns=["path", "label", "subtype", "patient_id", "split"],
    )
    table["split"] = ["val" if "/val" in path else "test" for path in table["path"]]
    storage.write_csv(directory.split_file, table)
    digests = [hashlib.sha256((images / path).read_bytes()).hexdigest() for path in table["path"]]
    storage.write_csv(directory.content_file, table[["path", "split"]].assign(sha256=digests))
    run = api.load_run(directory.path)
    predictions, _ = run.predict_manifest(own_manifest(run, "test"), split="test")
    write_predictions(directory.predictions_file, [predictions], run.decision)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapt")
    write_own(folder)
    write_site(folder / "site")
    return folder


@pytest.fixture
def place(made, tmp_path):
    """A copy of run and place, for a test to write into: (Run, CSV of the place, folder of runs)."""
    shutil.copytree(made / "run", tmp_path / "runs" / "run")
    shutil.copytree(made / "site", tmp_path / "site")
    return api.load_run(tmp_path / "runs" / "run"), tmp_path / "site" / "site.csv", tmp_path / "runs"


@pytest.fixture
def certain(monkeypatch):
    """Function (run, logits): all its predictions have these logits of the positive class, a number or an array."""

    def fix(run, logits):
        real = run.predict_manifest

        def predicted(manifest, *, split):
            found, pictures = real(manifest, split=split)
            score = np.broadcast_to(logits, len(found)).astype(float)
            return dataclasses.replace(found, logits=np.stack([0 * score, score], axis=1)), pictures

        monkeypatch.setattr(run, "predict_manifest", predicted)

    return fix


def how(runs):
    return {"label_map": LABELS, "columns": COLUMNS, "runs_dir": runs}


def digests(folder):
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.is_file()}


def test_the_new_run_names_its_origin_and_works_like_any_run_while_the_old_one_stays(place, without_plots):
    run, data, runs = place
    before = digests(run.path)
    found, directory = adapt(run, data, GIVEN, name="there", **how(runs))
    assert found["kept"] and found["change"]["nll"]["value"] < 0 and digests(run.path) == before
    record = directory.read_record()
    assert record["state"] == "completed" and record["name"] == record["config"]["name"] == "there"
    assert record["origin"]["run"] == "run" and record["origin"]["decision"] == _DECISION
    assert record["origin"]["model_sha256"] == storage.file_sha256(directory.model_file)
    assert record["adaptation"]["prevalence"] == pytest.approx({"NORMAL": 0.8, "PNEUMONIA": 0.2})
    new = api.load_run(directory.path)
    assert new.decision.threshold.value == pytest.approx(0.2)
    assert new.decision.threshold.chosen_on == "val, carried over to site.csv"
    own = next(data.parent.glob("*.png"))
    old_row, new_row = run.predict([own], gate="off").iloc[0], new.predict([own], gate="off").iloc[0]
    assert new_row["raw_probability"] == old_row["raw_probability"]
    assert new_row["probability"] != old_row["probability"] and new_row["threshold"] == pytest.approx(0.2)
    report, _ = new.write_evaluation(split="test")
    stored = storage.read_json(directory.metrics_file)["splits"]["test"]
    assert report["nll"]["value"] == pytest.approx(stored["nll"]["value"], abs=1e-5)
    assert any("adapted to site.csv" in note for note in stored["notes"])
    card = directory.card_file.read_text()
    assert "decision adapted from the run | run" in card and "Adapted to site.csv: 52 patients" in card
    assert [one.name for one in listed_runs(runs)] == ["run", "there"]
    assert not list(runs.glob(".making*"))


def test_an_adapted_run_is_never_unsure_by_patients_of_another_place(place):
    run, data, runs = place
    _, directory = adapt(run, data, GIVEN, name="there", **how(runs))
    new, own = api.load_run(directory.path), next(data.parent.glob("*.png"))
    assert run.adapted_from is None and new.adapted_from == str(run.path)
    with pytest.raises(RunError, match="was adapted to another place.*Leave --abstain out.*runs/run"):
        new.predict([own], abstain=0.05)
    with pytest.raises(RunError, match="was adapted to another place.*cannot be calibrated for the new one.*runs/run"):
        new.refit_unsure()


@pytest.mark.slow
def test_the_new_run_is_exported_and_explained_with_the_new_decision(place, tmp_path):
    run, data, runs = place
    _, directory = adapt(run, data, GIVEN, name="there", **how(runs))
    new = api.load_run(directory.path)
    saved = new.export(tmp_path / "served").path
    facts = json.loads((saved / "assets.extra" / "classes.json").read_text())
    assert facts["threshold"]["value"] == pytest.approx(0.2) and facts["bias"] == list(new.decision.calibration.bias)
    heatmaps, failures = new.explain([next(data.parent.glob("*.png"))])
    assert len(heatmaps) == 1 and not failures


def test_the_sample_is_left_out_where_the_new_run_is_evaluated_on_the_place(place, without_plots):
    run, data, runs = place
    _, directory = adapt(run, data, GIVEN, name="there", **how(runs))
    new = api.load_run(directory.path)
    evaluated = {"label_map": LABELS, "columns": COLUMNS}
    with pytest.raises(DataError, match="has seen every image wanted"):
        new.write_evaluation(data, **evaluated)
    rows = pd.read_csv(data)
    write_pictures(data.parent, ["more1.png", "more2.png"], first=5000)
    more = pd.DataFrame([("more1.png", "sick", "sick-1"), ("more2.png", "healthy", "new")], columns=rows.columns)
    pd.concat([rows, more]).to_csv(data, index=False)
    report, _ = new.write_evaluation(data, **evaluated)
    assert report["n"] == 2 and report["known"]["same_patient"] == 1
    with pytest.raises(DataError, match="was adapted to"):
        adapt(new, data, GIVEN, name="again", **how(runs))


def test_an_adaptation_that_gains_nothing_is_not_kept(place, certain):
    run, data, runs = place
    run.decision = dataclasses.replace(run.decision, calibration=Decision.from_dict(_DECISION).calibration)
    certain(run, -8.0)  # / 2 + 4: even odds, as in validation and sample
    found, directory = adapt(run, data, SiteOptions(consecutive=True), name="there", **how(runs))
    assert not found["kept"] and directory is None and not (runs / "there").exists()
    assert found["before"]["nll"]["value"] == pytest.approx(np.log(2))


def test_the_command_prints_what_it_did_and_how_many_patients_are_needed(place, medxray):
    run, data, runs = place
    words = ["adapt", run.path, "--data", data, "--runs-dir", runs, "--name", "there", "--label-map"]
    words += ["sick=PNEUMONIA,healthy=NORMAL", "--path-col", "file", "--label-col", "finding", "--patient-col"]
    status, out, err = medxray(*words, "patient", "--prevalence", 0.2, "--precision", 0.1)
    assert status == 0, err
    assert "site.csv: 64 images, 52 patients (26 of NORMAL, 26 of PNEUMONIA)." in out
    assert "Prevalence PNEUMONIA 0.2 (as given); the stored probabilities are for PNEUMONIA 0.5." in out
    assert "Sensitivity to within 0.1: these 26 patients of PNEUMONIA tell it to within 0.0" in out
    assert "Kept: the NLL of patients left out falls" in out
    report = runs / "there" / "report.html"
    assert out.splitlines()[-2:] == [f"Written to {runs / 'there'}", f"Report: {report}"] and report.is_file()
    status, out, err = medxray(*words, "patient", "--consecutive", "--json")
    assert status == 1 and "exists already" in err
    words[words.index("there")] = "second"
    status, out, err = medxray(*words, "patient", "--consecutive", "--json")
    found = json.loads(out)
    assert status == 0 and found["consecutive"] and found["prevalence"]["PNEUMONIA"] == pytest.approx(0.5)
    assert found["precision"]["wished"] == 0.05


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ([], 2, "one of the two"),
        (["--prevalence", "0.2", "--consecutive"], 2, "one of the two"),
        (["--prevalence", "0"], 2, "above 0 and below 1"),
        (["--prevalence", "1.5"], 2, "above 0 and below 1"),
        (["--prevalence", "often"], 2, "above 0 and below 1"),
        (["--prevalence", "ILL=0.5,NORMAL=0.5"], 2, "must have the form NORMAL=SHARE,PNEUMONIA=SHARE"),
        (["--prevalence", "0.2", "--precision", "0.7"], 2, "--precision must be above 0 and below 0.5"),
        (["--prevalence", "0.2", "--name", "a/b"], 2, "plain folder name"),
        (["--unlabelled", "--prevalence", "0.2"], 2, "Leave it out with --unlabelled"),
        (["--unlabelled", "--name", "x"], 2, "Leave it out with --unlabelled"),
    ],
)
def test_options_that_contradict_themselves_are_refused_in_one_line(place, medxray, words, status, message):
    run, data, runs = place
    found, out, err = medxray("adapt", run.path, "--data", data, "--runs-dir", runs, *words)
    assert found == status and not out and message in err and err.count("Error: ") == 1
    assert [path.name for path in runs.iterdir()] == ["run"]


def test_better_probabilities_with_worse_labels_are_told_of():
    change = {"value": -0.08, "ci95": [-0.15, -0.01]}
    found = {"kept": True, "change": {"balanced_accuracy": change}}
    (line,) = adapt_text.price(found)
    assert "balanced accuracy changes by -0.080 [-0.150, -0.010]" in line
    assert not adapt_text.price(found | {"kept": False})
    assert not adapt_text.price(found | {"change": {"balanced_accuracy": change | {"ci95": [-0.15, 0.01]}}})


def test_patients_who_tell_a_figure_surely_enough_are_not_said_to_be_too_few():
    entry = {"figure": "specificity", "patients": 32, "half_width": 0.044, "needed": 38}
    (enough,) = adapt_text.precision_lines({"wished": 0.05, "classes": {"NORMAL": entry}})
    assert "these 32 patients of NORMAL tell it to within 0.044; others may need about 38" in enough
    (few,) = adapt_text.precision_lines({"wished": 0.02, "classes": {"NORMAL": entry}})
    assert "about 38 patients of NORMAL are needed; these 32 tell it to within 0.04" in few


def test_too_few_patients_of_a_class_are_refused(place):
    run, data, runs = place
    rows = pd.read_csv(data)
    rows[~rows["patient"].isin(["sick-0", "sick-1"])].to_csv(data, index=False)
    with pytest.raises(DataError, match="25 patients of each class. site.csv has 24 of PNEUMONIA"):
        adapt(run, data, GIVEN, name="there", **how(runs))


def test_images_of_the_training_are_refused_or_left_out(place, made):
    run, data, runs = place
    shutil.copy(made / "own" / "NORMAL" / "val0.png", data.parent / "healthy0-0.png")
    with pytest.raises(DataError, match=r"1 of 64 images .* \(1 the same files\)"):
        adapt(run, data, GIVEN, name="there", **how(runs))
    found, _ = adapt(run, data, GIVEN, name="there", exclude_known=True, **how(runs))
    assert found["n"] == 63


def test_look_alikes_of_training_images_are_left_out_with_a_warning(place, made, caplog):
    run, data, runs = place
    learned = cv2.imread(str(made / "own" / "NORMAL" / "val0.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(data.parent / "healthy0-0.png"), cv2.cvtColor(learned, cv2.COLOR_GRAY2BGR))
    found, _ = adapt(run, data, GIVEN, name="there", **how(runs))
    assert found["n"] == 63 and "Left out: 1 of 64 images that the run knows (1 look-alikes)." in caplog.text


def test_patients_of_the_training_are_refused(place):
    run, data, runs = place
    rows = pd.read_csv(data)
    rows.loc[0, "patient"] = "own-val0.png"
    rows.to_csv(data, index=False)
    with pytest.raises(DataError, match="1 of the same patients.*number their patients alike, give these other ids"):
        adapt(run, data, GIVEN, name="there", **how(runs))


def test_images_of_the_own_test_split_are_told_of(place, made):
    run, data, runs = place
    shutil.copy(made / "own" / "NORMAL" / "test0.png", data.parent / "healthy0-0.png")
    found, _ = adapt(run, data, GIVEN, name="there", **how(runs))
    assert any("1 images are of the run's own test split" in note for note in found["notes"])


def test_labels_that_are_no_classes_are_refused(place):
    run, data, runs = place
    with pytest.raises(DataError, match="sick|healthy"):
        adapt(run, data, GIVEN, name="there", columns=COLUMNS, runs_dir=runs)


def test_a_run_whose_probabilities_were_not_fitted_is_adapted_as_it_is_and_tells_no_prevalence(place, medxray):
    run, data, runs = place
    run.directory.update_record(decision=_DECISION | {"temperature": 1.0, "bias": []})
    run = api.load_run(run.path)
    found, _ = adapt(run, data, GIVEN, name="there", **how(runs))
    assert found["stored_prevalence"] is None and found["prior"] == [0.0, 0.0]
    assert any("never fitted" in note for note in found["notes"])
    status, _, err = medxray("adapt", run.path, "--data", data, "--unlabelled", "--path-col", "file")
    assert status == 1 and "no prevalence can be told" in err


def test_an_adapted_run_starts_from_the_prevalence_it_was_adapted_to(place):
    run, data, runs = place
    _, directory = adapt(run, data, GIVEN, name="there", **how(runs))
    assert site.old_prevalence(api.load_run(directory.path)) == pytest.approx((0.8, 0.2))


def test_an_anomaly_run_is_refused(place):
    run, data, runs = place
    run.kind = ANOMALY
    with pytest.raises(RunError, match="is an anomaly run"):
        adapt(run, data, GIVEN, name="there", **how(runs))


def test_shares_of_three_classes_are_read_by_name():
    classes = ("NORMAL", "BACTERIAL", "VIRAL")
    assert site.parse_prevalence("VIRAL=0.2,NORMAL=0.7,BACTERIAL=0.1", classes) == (0.7, 0.1, 0.2)
    with pytest.raises(ConfigError, match="add up to 1"):
        site.parse_prevalence("VIRAL=0.2,NORMAL=0.7,BACTERIAL=0.3", classes)
    with pytest.raises(ConfigError, match="NORMAL=SHARE,BACTERIAL=SHARE,VIRAL=SHARE"):
        site.parse_prevalence("0.2", classes)


def test_without_labels_the_prevalence_is_told_and_nothing_is_written(place, medxray):
    run, data, runs = place
    before = digests(runs)
    words = ["adapt", run.path, "--data", data, "--unlabelled", "--path-col", "file", "--patient-col", "patient"]
    status, out, err = medxray(*words, "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["n_patients"] == 52 and found["n_unknown"] == 0 and digests(runs) == before
    low, high = found["prevalence"]["PNEUMONIA"]["ci95"]
    assert low - 1e-4 <= found["prevalence"]["PNEUMONIA"]["value"] <= high + 1e-4 <= 1 + 1e-4
    status, out, _ = medxray(*words)
    assert status == 0 and out.splitlines()[-1] == "Nothing was changed: the run's decision stays as it is."
    status, _, err = medxray("adapt", run.path, "--data", data.parent, "--unlabelled", "--label-col", "finding")
    assert status == 2 and "--label-col is for labelled data" in err


def test_the_prevalence_of_simulated_images_is_found(simulate):
    from scipy.special import logit

    part = simulate(4000, seed=3)  # even shares, calibrated
    decision = Decision.from_dict(_DECISION | {"temperature": 1.0, "bias": [0.0, 0.0]})
    few = np.flatnonzero((part.y_true == 0) | (np.arange(4000) % 9 == 0))
    share = part.y_true[few].mean()
    found = prevalence_report(
        decision, part.logits[few], part.patient_ids[few], classes=CLASSES, old=(0.5, 0.5), n_boot=100
    )
    ill = found["prevalence"]["PNEUMONIA"]
    assert ill["value"] == pytest.approx(share, abs=0.03) and ill["ci95"][0] < share < ill["ci95"][1]
    moved = found["thresholds"]["same_price"]["stored_scale"]["value"]
    assert logit(moved) == pytest.approx(logit(0.6) - logit(ill["value"]), abs=1e-9)


def test_thresholds_for_a_prevalence_by_hand():
    from medxray.metrics.thresholds import OperatingPoint

    # odds of the threshold 1, of the stored prevalence 4, of the new one 1/4: the log prior ratio is -ln 16
    found = thresholds_for(OperatingPoint(0.5, "0.5", "fixed"), 0.8, {"value": 0.2, "ci95": [0.1, 0.5]})
    assert found["same_errors"]["corrected_scale"]["value"] == pytest.approx(1 / 17)
    assert found["same_price"]["stored_scale"]["value"] == pytest.approx(16 / 17)
    assert found["same_price"]["stored_scale"]["ci95"] == pytest.approx([4 / 5, 36 / 37])
    assert found["same_errors"]["stored_scale"]["value"] == 0.5
