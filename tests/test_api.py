"""The Python interface."""

import subprocess
import sys

import numpy as np
import pytest

import medxray
from medxray.data.layouts.sources import load_manifest
from medxray.errors import DataError, RunError
from medxray.runs.images import own_manifest


def test_package_import_is_light_and_names_are_lazy():
    code = "import sys, medxray; medxray.TrainConfig; print(bool({'tensorflow', 'numpy'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = medxray.nothing


def test_loaded_run_predicts_like_the_trained_one(trained, phantoms):
    files = sorted(phantoms.rglob("*.jpeg"))[:5]
    loaded = medxray.load_run(trained.path)
    assert loaded.classes == ("NORMAL", "PNEUMONIA") and loaded.positive == "PNEUMONIA"
    assert loaded.predict(files).equals(trained.predict(files))
    assert loaded.predict(files)["path"].tolist() == [str(file) for file in files]


def test_predictions_do_not_depend_on_the_batch(trained, phantoms):
    files = sorted(phantoms.rglob("*.jpeg"))[:9]
    whole = trained.predict(files)["raw_probability"]
    alone = [trained.predict([file])["raw_probability"][0] for file in files[:3]]
    np.testing.assert_allclose(whole[:3], alone, atol=1e-6)


def test_evaluate_fits_nothing_on_the_manifest(trained, phantoms):
    manifest = own_manifest(trained)
    report = trained.evaluate(manifest)
    assert report["split"] == "test" and report["n"] == len(manifest.subset("test"))
    assert report["threshold"]["value"] == trained.decision.threshold.value
    fitted = trained.decision.calibration
    assert report["calibration"]["temperature"] == fitted.temperature
    assert report["calibration"]["bias"] == list(fitted.biases(2))


def test_evaluate_takes_no_image_that_the_run_has_learned(trained, phantoms, caplog):
    with pytest.raises(DataError, match="has no test split, but: train"):
        trained.evaluate(load_manifest(phantoms))
    with pytest.raises(DataError, match="The run has seen every image"):
        trained.evaluate(own_manifest(trained), split="train")
    fresh = trained.evaluate(load_manifest(phantoms), split="train")
    assert fresh["n"] == len(own_manifest(trained, "test")) and "are left out" in caplog.text


def test_gradcam_gives_heatmaps_and_failures(trained, phantoms, tmp_path):
    (tmp_path / "bad.png").write_text("text")
    heatmaps, failures = trained.gradcam([sorted(phantoms.rglob("*.jpeg"))[0], tmp_path / "bad.png"])
    assert len(heatmaps) == 1 and heatmaps[0].heatmap.shape == (32, 32)
    assert list(failures) == [str(tmp_path / "bad.png")]


def test_damaged_model_and_unfinished_run_are_told(trained, tmp_path):
    import shutil

    shutil.copytree(trained.path, tmp_path / "run")
    (tmp_path / "run" / "model.keras").write_bytes(b"no model")
    with pytest.raises(RunError, match="model.keras cannot be loaded"):
        medxray.load_run(tmp_path / "run").predict([tmp_path])
    (tmp_path / "run" / "model.keras").unlink()
    with pytest.raises(RunError, match="has no trained model yet .*--resume"):
        medxray.load_run(tmp_path / "run")
    with pytest.raises(RunError, match="is complete; there is nothing to resume"):
        medxray.resume(trained.path)


@pytest.mark.slow
def test_multi_class_run_labels_the_most_probable_class(phantoms, tmp_path, bare):
    config = medxray.TrainConfig(
        arch="shallow-cnn",
        data=str(phantoms),
        task="pneumonia-subtype",
        image_size=32,
        epochs=1,
        augment="light",
        runs_dir=str(tmp_path / "runs"),
        export=False,
    )
    run = medxray.train(config)
    table = run.predict([phantoms])
    assert run.classes == ("NORMAL", "BACTERIAL", "VIRAL") and run.positive is None
    columns = [f"probability_{name}" for name in run.classes]
    assert (table[columns].to_numpy().argmax(axis=1) == [run.classes.index(label) for label in table["label"]]).all()
    np.testing.assert_allclose(table["probability"], table[columns].max(axis=1))
    assert table["threshold"].isna().all()
