"""An ensemble from the command to its answers, with the members as the oracle."""

import json
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from click.testing import CliRunner
from scipy.special import expit, log_softmax, logit

from medxray import EnsembleConfig, api
from medxray.cli.compare import compare
from medxray.data.affine import warp
from medxray.ensemble.graph import dropout_masks
from medxray.ensemble.views import drawn_views
from medxray.errors import ConfigError, DataError, RunError
from medxray.explain.explainer import ExplainRequest
from medxray.metrics.uncertainty import predictive_uncertainty
from medxray.models.inference import logits_model
from medxray.studies.adapt import SiteOptions, adapt
from medxray.system import storage
from tests.fixtures.bare_runs import leave_out_most
from tests.fixtures.sites import COLUMNS, LABELS, write_site


def calibrated_scores(run, pixels):
    return run.decision.calibration.scores(logits_model(run.model)(pixels).numpy().astype(np.float64))


def pixels_of(run, files):
    return run.form.read_inputs(files).pixels.astype(np.float32)


def test_it_answers_with_the_mean_of_the_calibrated_log_odds(pair, members, some_files):
    each = [logit(member.predict(some_files, gate="off")["probability"]) for member in members]
    raw = pair.predict(some_files, gate="off")["raw_probability"]
    assert all(not member.decision.calibration.is_identity for member in members)
    np.testing.assert_allclose(raw, expit(np.mean(each, axis=0)), atol=1e-5)


def test_it_leaves_the_files_of_a_training(pair, members):
    names = {path.name for path in pair.path.iterdir()}
    wanted = {"run.json", "split.csv", "content.csv", "predictions.csv", "metrics.json", "model_card.md", "model.keras"}
    assert wanted <= names and "checkpoint" not in names
    assert pair.record["state"] == "completed" and pair.record["type"] == "ensemble"
    split = [pd.read_csv(run.directory.split_file).sort_values("path").to_csv(index=False) for run in (pair, *members)]
    assert split[0] == split[1] == split[2]
    model = keras.models.load_model(pair.directory.model_file, compile=False, safe_mode=True)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


def test_what_training_predicts_is_what_the_run_predicts(pair):
    table = pd.read_csv(pair.directory.predictions_file).query("split != 'train'")
    root = pair.record["data"]["root"]
    again = pair.predict([f"{root}/{path}" for path in table["path"]], gate="off")
    np.testing.assert_allclose(again["raw_probability"], table["raw_probability"], atol=1e-5)


def test_pooled_features_are_those_of_the_members_brought_to_one_length(pair, members, some_files):
    pixels = pixels_of(pair, some_files)
    lengths = [member["feature_length"] for member in pair.record["ensemble"]["members"]]
    parts = [
        keras.Model(run.model.input, run.model.get_layer("pooled").output)(pixels).numpy() / length
        for run, length in zip(members, lengths, strict=True)
    ]
    np.testing.assert_allclose(pair.embed_inputs(some_files).vectors, np.concatenate(parts, axis=1), atol=1e-4)


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "occlusion", "saliency"])
def test_a_map_is_the_mean_of_those_of_the_members(pair, members, some_files, method):
    found, _ = pair.explain(some_files, method=method)
    each = [member.explain(some_files, method=method)[0] for member in members]
    for row, heatmap in enumerate(found):
        mean = np.mean([maps[row].heatmap for maps in each], axis=0)
        np.testing.assert_allclose(heatmap.heatmap, mean, atol=2e-4)


def test_a_layer_of_a_member_gives_the_map_of_that_member(pair, members, some_files):
    (found, _), (alone, _) = (
        pair.gradcam(some_files, layer="m2_block4_pool"),
        members[1].gradcam(some_files, layer="block4_pool"),
    )
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one.heatmap_layer, other.heatmap_layer, atol=2e-4)
    with pytest.raises(ConfigError, match="Layer 'block4_pool' does not exist in ensemble"):
        pair.gradcam(some_files, layer="block4_pool")


def test_views_are_averaged_in_log_odds(viewed, members, some_files):
    pixels = pixels_of(viewed, some_files)
    maps, gains = drawn_views((32, 32), 3, 4)
    views = [pixels]
    for one, gain in zip(maps, gains, strict=True):
        moved = warp(pixels, np.tile(one, (len(pixels), 1))).numpy()
        views.append(np.clip(moved * gain, 0, 255))
    assert np.abs(views[1] - pixels).max() > 10
    expected = np.mean([calibrated_scores(run, view) for run in members for view in views], axis=0)
    np.testing.assert_allclose(logits_model(viewed.model)(pixels), expected, atol=1e-4)


def test_with_views_features_and_maps_are_of_the_unchanged_image(viewed, pair, some_files):
    vectors = [run.embed_inputs(some_files).vectors for run in (viewed, pair)]
    np.testing.assert_allclose(*vectors, atol=1e-4)
    for one, other in zip(viewed.gradcam(some_files)[0], pair.gradcam(some_files)[0], strict=True):
        np.testing.assert_allclose(one.heatmap, other.heatmap, atol=2e-4)
        assert one.probability == pytest.approx(viewed.predict([one.file], gate="off")["probability"][0], abs=1e-5)
    with pytest.raises(ConfigError, match="has --tta"):
        viewed.explain(some_files, engine="tf-keras-vis")


def test_passes_are_those_of_thinned_heads(combine, members, some_files):
    run = combine(members[:1], mc=7, seed=2)
    model, pixels = members[0].model, pixels_of(run, some_files)
    masks = dropout_masks(model, 7, seed=(2, 1))
    assert set(np.unique(masks)) == {0, 2} and 0.3 < (masks > 0).mean() < 0.7  # dropout .5
    units = keras.Model(model.input, model.get_layer("dropout").output)(pixels).numpy()
    kernel, bias = model.get_layer("logits").get_weights()
    passes = np.stack([(units * mask) @ kernel + bias for mask in masks], axis=1)
    calibration = members[0].decision.calibration
    scores = passes / calibration.temperature + calibration.biases(2)
    np.testing.assert_allclose(logits_model(run.model)(pixels), scores.mean(axis=1), atol=1e-4)
    table = run.predict(some_files, gate="off")
    own = run.decision.calibration
    expected = predictive_uncertainty(log_softmax(scores / own.temperature + own.biases(2), axis=2), np.full(7, 1 / 7))
    np.testing.assert_allclose(table[["entropy", "mutual_information"]].T, expected, atol=1e-5)
    assert (table["mutual_information"] > 0).all()


def test_views_and_passes_go_together_and_an_unreadable_file_has_no_uncertainty(dropped, some_files, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    table = dropped.predict([*some_files, tmp_path / "bad.png"], gate="off")
    known = table["error"] == ""
    assert known.sum() == len(some_files)
    assert table.loc[known, "entropy"].between(0, np.log(2)).all() and table.loc[~known, "entropy"].isna().all()
    assert (table.loc[known, "mutual_information"] <= table.loc[known, "entropy"]).all()
    with pytest.raises(ConfigError, match="cam needs a head"):
        dropped.explain(some_files, method="cam")


@pytest.mark.parametrize(
    "name", ["pair", pytest.param("viewed", marks=pytest.mark.slow), pytest.param("dropped", marks=pytest.mark.slow)]
)
def test_the_export_holds_all_of_it(name, request, some_files, tmp_path):
    run = request.getfixturevalue(name)
    exported = run.export(tmp_path / "served")
    loaded = tf.saved_model.load(str(exported.path))
    content = tf.constant([file.read_bytes() for file in some_files])
    answer, table = loaded.signatures["serve_bytes"](content), run.predict(some_files, gate="off")
    np.testing.assert_allclose(answer["probabilities"][:, 1], table["probability"], atol=1e-4)
    assert ("entropy" in answer) == ("entropy" in table) == (name == "dropped")
    if name == "dropped":
        np.testing.assert_allclose(answer["mutual_information"], table["mutual_information"], atol=1e-5)
    heat = loaded.signatures["gradcam"](content)["heatmap"]
    np.testing.assert_allclose(heat, [one.heatmap for one in run.gradcam(some_files)[0]], atol=1e-4)


def test_fitted_weights_are_cross_fitted_on_validation_patients(combine, members, monkeypatch):
    monkeypatch.setattr("medxray.metrics.log_pool.MIN_IMAGES_PER_CLASS", 1)
    monkeypatch.setattr("medxray.metrics.log_pool.FOLDS", 2)
    run = combine(weights="nll", decide_on="shifted")
    facts = run.record["ensemble"]
    weights = [member["weight"] for member in facts["members"]]
    assert sum(weights) == pytest.approx(1) and np.sum(facts["weights_of_folds"], axis=1) == pytest.approx([1, 1])
    notes = json.loads(run.directory.metrics_file.read_text())["splits"]
    assert any("cross-fitted" in note for note in notes["val"]["notes"])
    assert not any("cross-fitted" in note for note in notes["test"]["notes"])
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 1)).astype(np.float32)
    expected = np.tensordot(weights, [calibrated_scores(one, pixels) for one in members], 1)
    np.testing.assert_allclose(logits_model(run.model)(pixels), expected, atol=1e-4)


@pytest.mark.slow
def test_an_interrupted_ensemble_goes_on(members, tmp_path, monkeypatch):
    def stop(*parts, **options):
        raise KeyboardInterrupt

    places = {"runs_dir": str(tmp_path), "export": False, "name": "it"}
    config = EnsembleConfig(members=tuple(str(run.path) for run in members), **places)
    leave_out_most(monkeypatch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medxray.ensemble.trainer.assess", stop)
        with pytest.raises(KeyboardInterrupt):
            api.train(config)
    run = api.resume(tmp_path / "it")
    assert run.record["state"] == "completed" and run.directory.metrics_file.exists()


def test_it_is_compared_with_its_members_and_listed(pair, members, tmp_path, medxray):
    words = [*(str(run.path) for run in (*members, pair)), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(compare, words)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["runs"]
    assert rows[2]["parameters"] == rows[0]["parameters"] + rows[1]["parameters"]
    assert rows[2]["images_per_second"] > 0
    status, out, _ = medxray("runs", "--runs-dir", pair.path.parent)
    assert status == 0 and "ensemble of 2" in out


def test_it_is_adapted_to_another_place(pair, tmp_path, some_files, monkeypatch):
    leave_out_most(monkeypatch)
    write_site(tmp_path / "site")
    options = SiteOptions(prevalence="0.2")
    found, directory = adapt(
        pair,
        tmp_path / "site" / "site.csv",
        options,
        runs_dir=tmp_path / "runs",
        name="there",
        label_map=LABELS,
        columns=COLUMNS,
    )
    assert found["kept"] and directory.read_record()["origin"]["run"] == pair.name
    new = api.load_run(directory.path)
    assert new.kind is pair.kind and new.record["ensemble"] == pair.record["ensemble"]
    old_row, new_row = (run.predict(some_files[:1], gate="off").iloc[0] for run in (pair, new))
    assert new_row["raw_probability"] == old_row["raw_probability"]
    assert new_row["threshold"] == pytest.approx(found["adapted"]["threshold"]["value"])


def test_maps_can_be_checked_and_the_layers_are_listed(pair):
    depths = pair.layers_by_depth()
    assert depths[0][0] == "head" and {layer.name[:3] for layer in depths[0][1]} == {"m1_", "m2_"}
    assert sum(len(layers) for _, layers in depths) == sum(bool(layer.weights) for layer in pair.model.layers)
    assert pair.explainer(ExplainRequest()) is not None


def copied(run, folder, **changes):
    shutil.copytree(run.path, folder)
    record = storage.read_json(folder / "run.json")
    storage.write_json(folder / "run.json", {**record, **changes})
    return folder


def test_runs_that_do_not_go_together_are_one_line(members, pair, medxray, tmp_path):
    first, second = members
    data, config = second.record["data"], second.record["config"]
    other = {
        "an anomaly run": (
            RunError,
            copied(second, tmp_path / "a", type="anomaly"),
            "made of classifiers.*type anomaly",
        ),
        "an ensemble": (RunError, pair.path, "made of classifiers.*type ensemble"),
        "none": (RunError, tmp_path / "nothing", "There is no run at"),
        "stopped": (RunError, copied(second, tmp_path / "b", state="interrupted"), "completed runs.*is interrupted"),
        "task": (
            DataError,
            copied(second, tmp_path / "c", data=data | {"classes": ["A", "B"]}),
            "same task and classes",
        ),
        "size": (DataError, copied(second, tmp_path / "d", config=config | {"image_size": 64}), "same input.*64 x 64"),
        "itself": (ConfigError, first.path, "two or more different runs, or --tta or --mc"),
    }
    for error, path, message in other.values():
        with pytest.raises(error, match=message):
            EnsembleConfig(members=(str(first.path), str(path))).resolved()
    with pytest.raises(ConfigError, match="Received none"):
        EnsembleConfig().resolved()
    with pytest.raises(ConfigError, match="--weights nll is for two or more"):
        EnsembleConfig(members=(str(first.path),), mc=3, weights="nll").resolved()
    status, _, err = medxray("ensemble", first.path, tmp_path / "nothing", "--runs-dir", tmp_path / "runs")
    assert status == 1 and err.startswith("Error: There is no run at") and len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_another_split_is_refused(members, tmp_path):
    first, second = members
    folder = copied(second, tmp_path / "moved")
    table = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)
    row = table.index[table["split"] == "test"][0]
    table.loc[row, "split"] = "train"
    table.to_csv(folder / "split.csv", index=False)
    with pytest.raises(DataError, match="same split.*differ in 1 images.*--split-file"):
        EnsembleConfig(members=(str(first.path), str(folder))).resolved()


def test_passes_need_dropout(members, combine, tmp_path, monkeypatch):
    model = keras.models.load_model(members[0].directory.model_file, compile=False)
    model.get_layer("dropout").rate = 0.0
    with pytest.raises(ConfigError, match="--mc needs runs with dropout"):
        dropout_masks(model, 3, seed=(0, 1))
