"""Whole jobs through the command line: three classes, graded edema, a MedMNIST file."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from medxray.data.phantom.draw import generate_phantoms

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_plots")]
TINY = "--arch shallow-cnn --image-size 32 --epochs 1 --batch-size 16".split()
THREE = ["NORMAL", "BACTERIAL", "VIRAL"]


@pytest.fixture
def job(medxray, tmp_path, monkeypatch):
    """Function (*words) -> standard output of a command that succeeds, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def succeed(*words):
        status, out, err = medxray(*words)
        assert status == 0, err
        return out

    return succeed


def record_of(path):
    return json.loads((path / "run.json").read_text())


def test_pneumonia_subtype_from_training_to_the_export(job, medxray, phantoms, tmp_path):
    out = job("train", "--task", "pneumonia-subtype", "--data", phantoms, *TINY, "--name", "three")
    run = tmp_path / "runs" / "three"
    assert record_of(run)["data"]["classes"] == THREE and record_of(run)["data"]["positive"] is None
    assert record_of(run)["decision"]["threshold"] is None and "Threshold" not in out
    assert all(f"{figure} {name}" in out for name in THREE for figure in ("auroc", "sensitivity", "precision"))

    test = json.loads((run / "metrics.json").read_text())["splits"]["test"]
    areas = [test["per_class"][name]["auroc"]["value"] for name in THREE]
    assert test["auroc"]["value"] == pytest.approx(np.mean(areas)) and np.shape(test["confusion_matrix"]) == (3, 3)
    card = (run / "model_card.md").read_text()
    assert all(f"| test | {name} | {test['per_class'][name]['n']} |" in card for name in THREE)
    assert "there is no threshold" in card and "ppv_npv" not in card

    table = pd.read_csv(run / "predictions.csv", keep_default_na=False)
    chances = table[[f"probability_{name}" for name in THREE]].to_numpy(float)
    assert np.allclose(chances.sum(axis=1), 1) and (table["threshold"] == "").all()
    assert (table["label"] == np.array(THREE)[chances.argmax(axis=1)]).all()

    image = next((phantoms / "chest_xray").rglob("*virus*.jpeg"))
    (row,) = json.loads(job("predict", image, "--model", run, "--json"))
    assert row["threshold"] is None and row["probability"] == max(row[f"probability_{name}"] for name in THREE)
    assert job("gradcam", image, "--model", run, "--class", "viral").split() == [f"gradcam/{image.stem}-VIRAL.png"]
    status, _, err = medxray("gradcam", image, "--model", run, "--class", "PNEUMONIA")
    assert status and "--class must be one of NORMAL, BACTERIAL, VIRAL" in err

    report = json.loads(job("evaluate", run, "--split", "val", "--json"))
    assert list(report["per_class"]) == THREE
    job("embed", "extract", run)
    assert "auroc VIRAL" in job("embed", "knn", run / "embeddings.npz")
    export = tmp_path / job("export", run, "--to", "exported").strip().splitlines()[-1]
    assert json.loads((export / "assets.extra" / "classes.json").read_text())["classes"] == THREE


@pytest.mark.parametrize("option", ["--threshold-rule=sensitivity:0.95", "--positive=VIRAL"])
def test_options_of_two_classes_are_refused_with_three(medxray, phantoms, tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    status, _, err = medxray("train", "--task", "pneumonia-subtype", "--data", phantoms, *TINY, option)
    assert status and f"{option.split('=')[0]} is for two classes" in err


def graded(folder, names):
    """Phantoms in folders named like grades, each patient in one."""
    generate_phantoms(folder / "all", patients=40, size=64, seed=5)
    files = sorted((folder / "all" / "chest_xray").rglob("*.jpeg"))
    for number, file in enumerate(files):
        target = folder / "edema" / names[number % len(names)]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return folder / "edema"


@pytest.mark.parametrize(
    ("names", "positive"),
    [(("normal", "edema"), "edema"), (("no edema", "vascular congestion", "interstitial", "alveolar"), None)],
)
def test_edema_folders_from_training_to_new_images(job, tmp_path, names, positive):
    data = graded(tmp_path, names)
    job("train", "--data", data, *TINY, "--name", "edema", "--no-export")
    facts = record_of(tmp_path / "runs" / "edema")["data"]
    assert (facts["task"], facts["classes"], facts["positive"]) == ("folders", list(names), positive)
    image = next((data / names[-1]).iterdir())
    (row,) = json.loads(job("predict", image, "--model", "runs/edema", "--json"))
    assert row["label"] in names and (row["threshold"] is None) == (positive is None)
    target = names[-1].replace(" ", "_")
    assert job("gradcam", image, "--model", "runs/edema", "--class", names[-1]).strip().endswith(f"-{target}.png")


def test_a_medmnist_file_from_inspection_to_the_export(job, medmnist_file, tmp_path):
    file = medmnist_file(side=28)
    assert "Task           pneumonia: NORMAL, PNEUMONIA (positive)" in job("data", "inspect", file)
    words = [word for word in TINY if word not in ("--image-size", "32")]
    out = job("train", "--data", file, *words, "--name", "small")
    run = tmp_path / "runs" / "small"
    assert record_of(run)["data"]["preprocessing"]["image_size"] == 28
    assert "The patients are unknown: intervals are by image" in out
    split = pd.read_csv(run / "split.csv", keep_default_na=False)
    assert split["split"].value_counts().to_dict() == {"train": 24, "val": 10, "test": 12}
    assert len(json.loads(job("predict", f"{file}/test", "--model", run, "--json"))) == 12
    assert job("gradcam", f"{file}/test-3", "--model", run).split() == ["gradcam/test-3-PNEUMONIA.png"]
    own = json.loads(job("evaluate", run, "--data", file, "--json"))
    metrics = json.loads((run / "metrics.json").read_text())["splits"]["test"]
    assert own["auroc"] == metrics["auroc"]
    job("embed", "extract", run)
    assert (tmp_path / "saved_models" / "small" / "1" / "assets.extra" / "classes.json").exists()
