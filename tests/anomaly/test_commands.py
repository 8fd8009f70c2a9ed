"""`medxray anomaly` and the other commands on an anomaly run, as a user types them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest


def one_line(err):
    return len(err.strip().splitlines()) == 1 and "Traceback" not in err


@pytest.fixture
def images(phantoms, tmp_path):
    """Two phantoms and a text file named .png."""
    folder = tmp_path / "images"
    folder.mkdir()
    for file in sorted(phantoms.rglob("*.jpeg"))[:2]:
        shutil.copy(file, folder)
    (folder / "text.png").write_text("no image")
    return folder


def test_map_draws_good_files_and_lists_bad_ones(medxray, detector, images, tmp_path):
    out = tmp_path / "out"
    status, printed, err = medxray("anomaly", "map", images, "--model", detector.path, "--out", out, "--raw")
    good = sorted(images.glob("*.jpeg"))
    expected = [str(out / f"{file.stem}-anomaly{suffix}") for file in good for suffix in (".png", ".npz")]
    assert status == 1 and printed.splitlines() == expected
    assert err.splitlines()[-1].startswith(f"Error: {images / 'text.png'}: ")
    table = detector.predict(good)
    for row, file in zip(table.itertuples(), good, strict=True):
        with np.load(out / f"{file.stem}-anomaly.npz", allow_pickle=False) as stored:
            assert stored["score"] == pytest.approx(row.score, abs=1e-4)
            assert stored["probability"] == pytest.approx(row.probability, abs=1e-4) and stored["label"] == row.label
            size = (*detector.input_size, detector.channels)
            assert stored["image"].shape == size and stored["image"].dtype == np.uint8
            assert stored["anomaly_map"].ndim == 2 and stored["anomaly_map"].min() >= 0
            assert ("reconstruction" in stored) == (detector.method == "autoencoder")


def test_images_of_one_name_do_not_overwrite_each_other(padim, images, tmp_path):
    from medxray.anomaly.folder import write_maps

    file = next(images.glob("*.jpeg"))
    (tmp_path / "other").mkdir()
    shutil.copy(file, tmp_path / "other")
    written = write_maps(padim, [file, tmp_path / "other"], tmp_path / "out")
    assert [path.name for path in written.files] == [f"{file.stem}-anomaly.png", f"{file.stem}-anomaly-2.png"]


def test_predict_writes_the_score_to_csv_and_json(medxray, patchcore, images, tmp_path):
    status, out, _ = medxray("predict", images, "--model", patchcore.path, "--json", "--csv", tmp_path / "a.csv")
    rows, table = json.loads(out), pd.read_csv(tmp_path / "a.csv")
    assert status == 1 and list(table)[4:6] == ["threshold", "score"]
    assert [row["score"] for row in rows if not row["error"]] == table["score"].dropna().tolist()
    assert [row["score"] for row in rows if row["error"]] == [None]


def test_the_wrong_picture_for_a_kind_of_run_is_one_line_that_names_the_right_one(medxray, padim, classifier, images):
    file = next(images.glob("*.jpeg"))
    status, _, err = medxray("gradcam", file, "--model", padim.path)
    assert status == 2 and one_line(err) and "is an anomaly run; Grad-CAM is for classifiers" in err
    assert "medxray anomaly map" in err
    status, _, err = medxray("anomaly", "map", file, "--model", classifier.path)
    assert status == 2 and one_line(err) and "is a classifier's run and has no anomaly map" in err
    assert "medxray gradcam" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "padim", "--epochs", 3], "--epochs is no option of --method padim"),
        (["--method", "autoencoder", "--arch", "vgg16"], "--arch is no option of --method autoencoder"),
        (["--mixed-precision"], "No such option"),
        (["--task", "pneumonia-subtype"], "'pneumonia-subtype' is not one of 'pneumonia', 'folders'"),
    ],
)
def test_impossible_options_are_usage_errors(medxray, phantoms, words, message):
    status, _, err = medxray("anomaly", "train", "--data", phantoms, *words)
    assert status == 2 and message in err.splitlines()[-1]


def test_an_unknown_normal_class_leaves_a_failed_run_that_is_not_the_latest(medxray, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--method", "padim", "--weights", "none", "--arch", "shallow-cnn", "--image-size", 32]
    status, _, err = medxray("anomaly", "train", "--data", phantoms, *words, "--normal", "HEALTHY")
    assert status == 2 and "--normal must be one of NORMAL, PNEUMONIA. Received 'HEALTHY'." in err.splitlines()[-1]
    (record,) = tmp_path.glob("runs/*/run.json")
    assert json.loads(record.read_text())["state"] == "failed" and not (tmp_path / "runs" / "latest").exists()


def test_normal_images_missing_in_validation_are_told(medxray, phantoms, tmp_path, monkeypatch, padim):
    monkeypatch.chdir(tmp_path)
    table = pd.read_csv(padim.path / "split.csv", keep_default_na=False)
    table.loc[(table["split"] == "val") & (table["label"] == "NORMAL"), "split"] = "test"
    table.to_csv("split.csv", index=False)
    words = ["--method", "padim", "--weights", "none", "--arch", "shallow-cnn", "--image-size", 32]
    status, _, err = medxray("anomaly", "train", "--data", phantoms, *words, "--split-file", "split.csv")
    assert status == 1 and "needs at least 2 normal images for validation. Received 0." in err.splitlines()[-1]


def test_healthy_images_alone_are_refused_with_what_the_others_are_for(medxray, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "NORMAL").mkdir(parents=True)
    for file in phantoms.rglob("NORMAL/*.jpeg"):
        shutil.copy(file, tmp_path / "data" / "NORMAL")
    status, _, err = medxray("anomaly", "train", "--data", "data")
    line = err.splitlines()[-1]
    assert status == 1 and "Class PNEUMONIA has 0 readable images" in line
    assert "fitted on normal images alone, but its threshold and figures need abnormal validation and test" in line


@pytest.mark.parametrize("split", ["val", "test"])
def test_abnormal_images_missing_in_a_split_are_told(medxray, phantoms, tmp_path, monkeypatch, padim, split):
    monkeypatch.chdir(tmp_path)
    table = pd.read_csv(padim.path / "split.csv", keep_default_na=False)
    table.loc[(table["split"] == split) & (table["label"] == "PNEUMONIA"), "split"] = "train"
    table.to_csv("split.csv", index=False)
    words = ["--method", "padim", "--weights", "none", "--arch", "shallow-cnn", "--image-size", 32]
    status, _, err = medxray("anomaly", "train", "--data", phantoms, *words, "--split-file", "split.csv")
    line = err.splitlines()[-1]
    assert status == 1 and f"images in the {split} split is of class PNEUMONIA; an anomaly run is fitted on" in line


def damaged(run, folder, **changes):
    """A copy of a run with other entries in run.json; None removes one from the configuration."""
    shutil.copytree(run.path, folder)
    record = json.loads((folder / "run.json").read_text())
    for name, value in changes.items():
        if name == "type":
            record["type"] = value
        elif value is None:
            del record["config"][name]
        else:
            record["config"][name] = value
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_damaged_runs_are_errors_of_one_line(medxray, padim, classifier, images, tmp_path):
    file = next(images.glob("*.jpeg"))
    cases = {
        "no-method": (damaged(padim, tmp_path / "a", method=None), "run.json is damaged: KeyError('method')"),
        "method": (damaged(padim, tmp_path / "b", method="gan"), "run.json is damaged"),
        "type": (damaged(padim, tmp_path / "c", type=["x"]), "A run must be one of classifier, anomaly"),
        "foreign-model": (damaged(padim, tmp_path / "d"), "is not the detector that run.json describes"),
        "half-a-model": (damaged(padim, tmp_path / "e"), "model.keras cannot be loaded"),
        "other-kind": (damaged(padim, tmp_path / "f", type="classifier"), "The files do not belong together"),
    }
    shutil.copy(classifier.path / "model.keras", tmp_path / "d")
    content = (tmp_path / "e" / "model.keras").read_bytes()
    (tmp_path / "e" / "model.keras").write_bytes(content[: len(content) // 2])
    for name, (folder, message) in cases.items():
        status, _, err = medxray("predict", file, "--model", folder)
        assert status == 1 and one_line(err) and message in err, (name, err)


def test_a_classifiers_convolutions_serve_as_backbone(classifier, phantoms, tmp_path, bare):
    from medxray import AnomalyConfig, train

    places = {name: str(tmp_path / name) for name in ("runs_dir", "saved_models_dir", "cache_dir")}
    config = AnomalyConfig(
        method="padim", backbone=str(classifier.path), data=str(phantoms), dimensions=4, export=False, **places
    )
    run = train(config)
    theirs, ours = classifier.model.get_layer("block2_conv"), run.model.get_layer("block2_conv")
    np.testing.assert_array_equal(theirs.get_weights()[0], ours.get_weights()[0])
    assert run.record["weights"]["path"] == str(classifier.path / "model.keras")
    assert run.name == "padim-shallow-cnn" and run.input_size == classifier.input_size
    assert "trained with labels" in (run.path / "model_card.md").read_text() and "with labels" in run.notes[0]


def test_a_backbone_that_has_seen_the_test_images_is_refused(medxray, classifier, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--method", "padim", "--backbone", classifier.path, "--data", phantoms, "--seed", 1]
    status, _, err = medxray("anomaly", "train", *words)
    line = err.splitlines()[-1]
    assert status == 1 and "test images are training or validation images of the backbone. Use its split" in line
    assert str(classifier.path / "split.csv") in line


def test_a_backbone_that_has_learned_validation_images_is_refused(medxray, classifier, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.read_csv(classifier.path / "split.csv", keep_default_na=False)
    table["split"] = table["split"].replace({"train": "val", "val": "train"})
    table.to_csv("swapped.csv", index=False)
    words = ["--method", "padim", "--backbone", classifier.path, "--data", phantoms, "--split-file", "swapped.csv"]
    status, _, err = medxray("anomaly", "train", *words)
    count = (table["split"] == "val").sum()
    line = err.splitlines()[-1]
    assert status == 1 and f"{count} of {count} val images are training images of the backbone. Use its split" in line


@pytest.mark.slow
def test_folders_of_three_classes_are_one_against_the_rest_from_training_to_other_data(
    medxray, phantoms, tmp_path, bare
):
    """A third of the abnormal phantoms gets a folder of its own; the run is evaluated on its own data and others."""
    from medxray import AnomalyConfig, train
    from medxray.runs.images import other_manifest

    data, other = tmp_path / "data", tmp_path / "other"
    for number, file in enumerate(sorted(phantoms.rglob("*.jpeg"))):
        name = "fine" if file.parent.name == "NORMAL" else ("spots", "spots", "lines")[number % 3]
        (data / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, data / name)
    config = AnomalyConfig(
        method="padim",
        arch="shallow-cnn",
        weights="none",
        image_size=32,
        normal="fine",
        data=str(data),
        export=False,
        dimensions=4,
        cache_dir=str(tmp_path / "cache"),
        runs_dir=str(tmp_path / "runs"),
    )
    run = train(config)
    assert run.classes == ("fine", "ABNORMAL") and run.positive == "ABNORMAL"
    predictions = pd.read_csv(run.path / "predictions.csv", keep_default_na=False)
    assert (predictions["subtype"] == predictions["path"].str.split("/").str[0].replace("fine", "")).all()
    groups = json.loads((run.path / "metrics.json").read_text())["splits"]["test"]["subgroups"]
    assert set(groups["subtype"]) == {"lines", "spots"}
    status, out, _ = medxray("evaluate", run.path, "--data", data, "--json")
    own = json.loads(out)
    assert status == 0 and own["n"] == json.loads((run.path / "metrics.json").read_text())["splits"]["test"]["n"]

    from medxray.data.phantom.draw import generate_phantoms

    generate_phantoms(other, patients=8, size=64, seed=9)
    for name, new in (("NORMAL", "fine"), ("PNEUMONIA", "haze")):
        for folder in list(other.rglob(name)):
            folder.rename(folder.with_name(new))
    status, out, err = medxray("evaluate", run.path, "--data", other, "--split", "train", "--json")
    assert status == 0, err
    assert json.loads(out)["classes"] == ["fine", "ABNORMAL"] and "ABNORMAL: haze (" in err
    for folder in list(other.rglob("fine")):
        folder.rename(folder.with_name("Healthy"))
    status, _, err = medxray("evaluate", run.path, "--data", other, "--split", "train")
    assert status == 1 and "Label 'Healthy' (train/Healthy/" in err and "--label-map 'Healthy=fine'" in err
    assert set(other_manifest(run, other, label_map={"Healthy": "fine"}).table["label"]) == {"fine", "ABNORMAL"}
