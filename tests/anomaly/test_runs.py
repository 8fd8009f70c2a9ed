"""Anomaly runs from data to files: what they leave, what they say, and what they looked at."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from medxray import load_run, train
from medxray.metrics.decision import DEFAULT_POINT


def stored(run, name):
    return json.loads((run.path / name).read_text())


def test_every_method_leaves_a_whole_run(detector):
    record = stored(detector, "run.json")
    assert record["state"] == "completed" and record["type"] == "anomaly"
    table = pd.read_csv(detector.path / "split.csv")
    normals = (table["split"] == "train") & (table["label"] == "NORMAL")
    assert record["anomaly"]["fitted_on"] == normals.sum() < (table["split"] == "train").sum()
    assert set(stored(detector, "metrics.json")["splits"]) == {"val", "test"}
    assert not (detector.path / "checkpoint").exists() and not list(detector.path.glob("**/.partial-*"))
    for split in ("val", "test"):
        for kind in ("scores", "maps"):
            assert (detector.path / "plots" / f"{split}_anomaly_{kind}.png").stat().st_size > 5000


def test_only_the_autoencoder_has_a_history_and_the_figure_of_the_plain_error(autoencoder, padim, without_plots):
    record = stored(autoencoder, "run.json")
    assert len(pd.read_csv(autoencoder.path / "history.csv")) == 3 and record["best_epoch"] in (0, 1, 2)
    assert not (padim.path / "history.csv").exists()
    splits = stored(autoencoder, "metrics.json")["splits"]
    assert not any("plain_mse_auroc" in report for report in stored(padim, "metrics.json")["splits"].values())
    for split in ("val", "test"):
        again, _ = autoencoder.write_evaluation(split=split)
        assert again["plain_mse_auroc"] == splits[split]["plain_mse_auroc"] != again["auroc"]


def test_the_plain_error_is_that_of_image_and_reconstruction(autoencoder):
    from sklearn.metrics import roc_auc_score

    table = pd.read_csv(autoencoder.path / "predictions.csv").query("split == 'test'")
    root = autoencoder.record["data"]["root"]
    maps, _ = autoencoder.maps([f"{root}/{path}" for path in table["path"]])
    errors = [np.mean((one.pixels - one.reconstruction) ** 2) for one in maps]
    expected = roc_auc_score(table["y_true"] == "PNEUMONIA", errors)
    assert stored(autoencoder, "metrics.json")["splits"]["test"]["plain_mse_auroc"]["value"] == pytest.approx(expected)


def test_scores_are_deviations_from_the_normal_validation_images(detector):
    table = pd.read_csv(detector.path / "predictions.csv")
    logits = table[["logit_NORMAL", "logit_PNEUMONIA"]].to_numpy()
    assert (logits[:, 0] == 0).all()
    normals = logits[(table["split"] == "val") & (table["y_true"] == "NORMAL"), 1]
    np.testing.assert_allclose([normals.mean(), normals.std()], [0, 1], atol=1e-5)


def test_predict_gives_the_scores_of_the_evaluation(detector):
    stored_table = pd.read_csv(detector.path / "predictions.csv")
    root = detector.record["data"]["root"]
    found = detector.predict([f"{root}/{path}" for path in stored_table["path"]])
    expected = stored_table["logit_PNEUMONIA"]  # of the patch methods from activations in 16 bit
    tolerance = 1e-4 if detector.method == "autoencoder" else 0.03
    np.testing.assert_allclose(found["score"], expected, atol=tolerance)
    position = list(found).index("score")
    assert list(found)[:position] == ["path", "label", "probability", "raw_probability", "threshold"]
    np.testing.assert_allclose(found["raw_probability"], 1 / (1 + np.exp(-found["score"])), rtol=1e-6)


def test_too_few_images_leave_threshold_and_probability_alone_and_the_line_is_where_the_label_turns(detector):
    assert detector.decision.threshold == DEFAULT_POINT and detector.score_threshold == 0.0
    found = detector.predict([detector.record["data"]["root"]])
    assert ((found["score"] >= 0) == (found["label"] == "PNEUMONIA")).all()


@pytest.mark.slow
def test_own_split_and_other_data_are_evaluated_with_the_note_of_a_detector(patchcore, tmp_path, monkeypatch):
    monkeypatch.setattr("medxray.evaluation.report.draw_evaluation", lambda *parts, **options: None)
    report, folder = patchcore.write_evaluation()
    first = stored(patchcore, "metrics.json")["splits"]["test"]
    assert report["confusion_matrix"] == first["confusion_matrix"] and report["notes"] == first["notes"]
    assert "fitted on normal images alone" in report["notes"][0]
    assert (folder / "plots" / "test_anomaly_maps.png").is_file()

    from medxray.data.phantom.draw import generate_phantoms

    generate_phantoms(tmp_path / "other", patients=10, size=64, seed=8)
    report, folder = patchcore.write_evaluation(tmp_path / "other", split="train")
    assert report["n"] > 0 and (folder / "metrics.json").is_file()
    assert (folder / "plots" / "train_anomaly_scores.png").is_file()


def test_features_of_a_detector_can_be_extracted(padim, tmp_path):
    from medxray.embeddings.extract import extract

    embeddings, path = extract(padim, splits=("test",), out=tmp_path / "a.npz")
    assert path.is_file() and embeddings.vectors.shape[1] == padim.model.get_layer("pooled").output.shape[-1]
    assert set(embeddings.classes) == {"NORMAL", "PNEUMONIA"}


def test_the_gate_knows_training_images_of_all_classes_and_each_by_its_own_features(padim, tmp_path):
    """The features of training come from activations kept for two sets of images, those of a refit from the images."""
    table = pd.read_csv(padim.path / "split.csv")
    assert padim.record["gate"]["training_images"] == (table["split"] == "train").sum()
    shutil.copytree(padim.path, tmp_path / "run")
    again = load_run(tmp_path / "run").refit_gate()
    largest = np.abs(padim.gate.features.mean).max()
    np.testing.assert_allclose(again.features.mean, padim.gate.features.mean, atol=0.005 * largest)
    np.testing.assert_allclose(again.scales, padim.gate.scales, rtol=0.05)  # cached activations are float16


def test_similar_training_images_of_a_detector(padim, phantoms):
    file = next(phantoms.rglob("*.jpeg"))
    (neighbors,) = padim.similar([file], count=3).values()
    assert len(neighbors) == 3 and neighbors[0].distance <= neighbors[2].distance


def fitted_state(run):
    """What a fit decides, weights and the unit of the score, and the losses of the epochs that it decided by."""
    model, history = load_run(run.path).model, run.path / "history.csv"
    epochs = pd.read_csv(history).drop(columns="seconds").to_csv() if history.exists() else None
    return [weight.tobytes() for weight in model.get_weights()], model.get_layer("score").get_config(), epochs


def shade_config(csv, small, method, **changes):
    given = {"data": str(csv), "path_col": "path", "label_col": "label", "patient_col": "patient", "split_col": "split"}
    return small(method, export=False, normal="healthy", **given, **changes)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["autoencoder", "patchcore"])  # padim: see the next test
def test_a_fit_looks_at_normal_images_alone(shades, small, bare, repeatable, monkeypatch, method):
    monkeypatch.setattr("medxray.anomaly.experiment.DetectorTrainer._evaluate", lambda *parts: None)
    data = (shades(), shades(train="new", val="new", test="new"))
    first, other = (train(shade_config(csv, small, method, deterministic=True)) for csv in data)
    assert fitted_state(first) == fitted_state(other)
    assert first.record["anomaly"] == other.record["anomaly"] and first.record["anomaly"]["fitted_on"] == 12


@pytest.mark.slow
def test_abnormal_images_of_training_change_nothing_and_those_of_validation_only_the_decision(
    shades, small, bare, repeatable
):
    data = (shades(), shades(train="new"), shades(val="new"))
    runs = [train(shade_config(csv, small, "padim", deterministic=True)) for csv in data]
    first, other_training, other_validation = map(fitted_state, runs)
    assert first == other_training == other_validation
    assert runs[0].record["anomaly"] == runs[1].record["anomaly"] == runs[2].record["anomaly"]
    assert runs[0].record["anomaly"]["fitted_on"] == 12
    decisions = [run.record["decision"] for run in runs]
    assert decisions[0] == decisions[1] != decisions[2]
    scores = [pd.read_csv(run.path / "predictions.csv").query("split == 'test'")["logit_ill"] for run in runs]
    assert scores[0].tolist() == scores[1].tolist() == scores[2].tolist()


def test_a_detector_worse_than_chance_stays_so(shades, small, bare, monkeypatch):
    """A detector whose raw score is the mean grey level, 160 of normal and 90 of abnormal images."""
    import keras
    from keras import layers

    from medxray.anomaly.experiment import DetectorTrainer

    class Brightness:
        history = ()

        def __init__(self, run):
            run.state_file.parent.mkdir(exist_ok=True)  # every method leaves something there
            image = keras.Input((32, 32, 1), name="image")
            grey = layers.Reshape((32, 32), name="anomaly_map")(image)
            pooled = layers.GlobalAveragePooling2D(name="pooled")(image)
            raw = layers.Identity(name="raw_score")(pooled)
            self.model = keras.Model(image, [raw, grey, pooled])

        def fit(self, timed):
            return self.model

        def pooled(self, rows):
            return None  # nothing is kept

        def raw_scores(self, images, name):
            pixels = np.stack(list(images.images(images.rows[name]).as_numpy_iterator()))
            return pixels.mean(axis=(1, 2, 3))

    monkeypatch.setattr(DetectorTrainer, "_method", lambda self, images: Brightness(self.run))
    run = train(shade_config(shades(), small, "padim"))
    for report in stored(run, "metrics.json")["splits"].values():
        assert report["auroc"]["value"] == 0.0
    assert run.decision.calibration.temperature > 0 and run.decision.threshold.chosen_on == "val"
    unit = run.record["anomaly"]["raw_score_of_normals"]
    assert unit["mean"] == pytest.approx(160, abs=1) and 0 < unit["deviation"] < 2
    found = run.predict([run.record["data"]["root"]])
    dark = found["path"].str.contains("-1-")
    assert found["score"][dark].max() < found["score"][~dark].min()
    assert found["probability"][dark].max() < found["probability"][~dark].min()  # the probability follows the score


def test_blank_images_get_finite_scores_and_maps(detector, tmp_path):
    import cv2

    for grey in (0, 255):
        cv2.imwrite(str(tmp_path / f"{grey}.png"), np.full((32, 32), grey, np.uint8))
    assert np.isfinite(detector.predict([tmp_path])["score"]).all()
    found, failures = detector.maps([tmp_path])
    assert len(found) == 2 and not failures
    assert all(np.isfinite(item.anomaly_map).all() and (item.anomaly_map >= 0).all() for item in found)
