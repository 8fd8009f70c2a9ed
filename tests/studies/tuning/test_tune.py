"""`medxray tune` with real trainings of a small network."""

import dataclasses
import os
import signal
import sqlite3
import time

import numpy as np
import pandas as pd
import pytest

from medxray import TrainConfig
from medxray.errors import RunError
from medxray.run_kinds import KINDS
from medxray.runs.tuning_directory import TuningDir
from medxray.studies.tuning import shifted
from medxray.studies.tuning.space import search_space
from medxray.studies.tuning.trial import write_split
from medxray.studies.tuning.tune import begin, go_on
from medxray.training import execution, run_data
from medxray.training.features import PrefixFeatures
from medxray.training.run_data import FITTED

OPTIONS = {"arch": "shallow-cnn", "mode": "extract", "weights": "none", "image_size": 32, "epochs": 2, "views": 1}
WORDS = "--arch shallow-cnn --mode extract --weights none --image-size 32 --epochs 2 --views 1".split()


@pytest.fixture
def config(phantoms, tmp_path):
    places = {"runs_dir": str(tmp_path / "runs"), "cache_dir": str(tmp_path / "cache")}
    return TrainConfig(data=str(phantoms), name="it", export=False, **places, **OPTIONS)


@pytest.mark.slow
def test_trials_read_no_test_image_share_the_cache_and_leave_no_run(config, monkeypatch, caplog):
    caplog.set_level("INFO", logger="medxray")
    decoded, computed = [], []
    read, fill = run_data.decode_splits, PrefixFeatures.build
    monkeypatch.setattr(
        run_data,
        "decode_splits",
        lambda manifest, config, splits: decoded.append(splits) or read(manifest, config, splits),
    )
    monkeypatch.setattr(
        PrefixFeatures, "build", lambda features: computed.append(features.missing_rows) or fill(features)
    )
    found = begin(config, search_space(["learning-rate,dropout"], config), trials=3)
    assert decoded == [FITTED]
    assert computed[0] > 0 and computed[1:] == [0, 0]
    assert found.best["n"] > 0 and 0 <= found.best["value"] <= 1
    directory = TuningDir(os.path.join(config.runs_dir, "it"))
    assert sorted(file.name for file in directory.path.iterdir()) == [
        "best.toml",
        "plots",
        "split.csv",
        "study.db",
        "trials.csv",
        "tuning.json",
    ]
    table = pd.read_csv(directory.trials_file)
    assert table["state"].tolist() == ["complete"] * 3 and table["epochs"].tolist() == [2, 2, 2]
    assert "validation:" not in caplog.text and "Trial 2:" in caplog.text


@pytest.fixture
def repeatable():
    """Switch op determinism off for the tests that follow."""
    from tensorflow.python.framework import config

    yield
    config.disable_op_determinism()


@pytest.mark.slow
def test_a_trial_is_the_training_of_its_options(config, phantoms, repeatable):
    config = dataclasses.replace(config, deterministic=True)
    begin(config, search_space(["dropout=0.1/0.4"], config), trials=1)
    directory = TuningDir(os.path.join(config.runs_dir, "it"))
    table = pd.read_csv(directory.trials_file)
    again = TrainConfig(
        **OPTIONS,
        data=str(phantoms),
        split_file=str(directory.split_file),
        dropout=float(table["dropout"][0]),
        runs_dir=config.runs_dir,
        cache_dir=config.cache_dir,
        export=False,
        deterministic=True,
    )
    fitted = execution.fit(again, KINDS["classifier"])
    kept = [row for row in fitted.history if row["epoch"] == fitted.directory.read_record()["best_epoch"]][-1]
    assert table["value"][0] == pytest.approx(kept["val_auroc"], abs=1e-6)


@pytest.mark.slow
def test_other_images_than_those_of_the_first_trials_are_refused(config, phantoms, tmp_path):
    begin(config, search_space(["dropout"], config), trials=1)
    directory = TuningDir(os.path.join(config.runs_dir, "it"))
    rows = pd.read_csv(directory.split_file, keep_default_na=False)
    rows.drop(rows.index[rows["split"] == "train"][0]).to_csv(directory.split_file, index=False)
    with pytest.raises(RunError, match="The images have changed since .*it was begun"):
        go_on(directory.path, trials=2)


@pytest.mark.slow
def test_shifted_views_pass_the_frozen_layers_once_and_give_what_the_whole_model_gives(config, monkeypatch):
    fitted, computed = execution.fit(config, KINDS["classifier"]), []
    fill = PrefixFeatures.build
    monkeypatch.setattr(
        PrefixFeatures, "build", lambda features: computed.append(features.missing_rows) or fill(features)
    )
    cached = shifted.shifted_logits(fitted)
    shifted.shifted_logits(fitted)
    assert computed == [6 * len(fitted.validation), 0]
    monkeypatch.setattr(fitted.features, "has", lambda cut, augmented: False)
    whole = shifted.shifted_logits(fitted)
    assert list(cached) == list(whole) and len(cached) == 6
    for group in whole:
        np.testing.assert_allclose(cached[group], whole[group], atol=0.02)
    assert not np.allclose(whole["framing"], fitted.validation.logits, atol=1e-3)


def test_clusters_are_left_out_of_training_and_the_test_split_stays(config, tmp_path):
    plain, left = tmp_path / "plain.csv", tmp_path / "left.csv"
    assert write_split(config, plain, leave_out=False) is None
    note = write_split(config, left, leave_out=True)
    assert "unseen kinds of images" in note
    one, other = (pd.read_csv(file, keep_default_na=False).set_index("path")["split"] for file in (plain, left))
    assert set(one.index) == set(other.index) and set(other) == {"train", "val", "test"}
    assert set(one.index[one == "test"]) == set(other.index[other == "test"])
    assert set(one.index[one == "val"]) != set(other.index[other == "val"])


@pytest.mark.slow
def test_the_command_leaves_what_train_takes_and_goes_on_to_more_trials(medxray, phantoms, tmp_path, bare):
    words = [*WORDS, "--data", phantoms, "--runs-dir", tmp_path / "runs", "--no-export", "--judge-on", "shifted"]
    words = ["tune", *words, "--search", "learning-rate,head-units=0/8", "--objective", "nll", "--name", "S"]
    status, out, err = medxray(*words, "--trials", 2)
    assert status == 0, err
    assert "NLL" in out and "one view of each group of shifts" in out and "Trials: 2 complete." in out
    best = tmp_path / "runs" / "S" / "best.toml"
    status, out, err = medxray("tune", "--resume", tmp_path / "runs" / "S", "--trials", 3)
    assert status == 0 and "Trials: 3 complete." in out, err
    status, out, err = medxray("train", "--config", best, "--name", "final")
    assert status == 0, err
    assert (tmp_path / "runs" / "final" / "model.keras").exists()
    status, out, err = medxray(*words, "--trials", 3, "--seed", 4)
    assert status == 2 and err.count("\n") == 1 and "was begun with --seed 0. Received 4" in err
    status, out, err = medxray("tune", "--resume", tmp_path / "runs" / "S", "--objective", "nll")
    assert status == 2 and "--resume takes no other option than --trials" in err
    status, out, err = medxray("evaluate", tmp_path / "runs" / "S")
    assert status == 1 and "is a search for options and holds no model" in err


@pytest.mark.slow
def test_a_search_that_is_killed_in_a_trial_goes_on(start, finish, phantoms, tmp_path):
    words = [*WORDS, "--data", str(phantoms), "--runs-dir", str(tmp_path / "runs"), "--no-export"]
    words = ["tune", *words, "--epochs", "60", "--search", "dropout", "--trials", "2", "--name", "S"]
    killed = start(words)
    database, deadline = tmp_path / "runs" / "S" / "study.db", time.time() + 200
    while not reported(database):
        assert time.time() < deadline and killed.poll() is None, killed.stderr.read()
        time.sleep(0.2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    finish(words)
    table = pd.read_csv(tmp_path / "runs" / "S" / "trials.csv")
    assert table["state"].tolist() == ["interrupted", "complete", "complete"]
    assert table["dropout"][0] == table["dropout"][1]


def reported(file):
    """Whether a trial has reported an epoch."""
    if not file.exists():
        return False
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT COUNT(*) FROM trial_intermediate_values").fetchone()[0] > 0
    finally:
        connection.close()


def test_without_optuna_the_command_says_what_to_install(medxray, monkeypatch):
    from medxray.studies.tuning import installed

    monkeypatch.setattr(installed.importlib.util, "find_spec", lambda name: None)
    status, _, err = medxray("tune", "--search", "dropout")
    assert status == 2 and "`medxray tune` needs Optuna, which is not installed: pip install 'medxray[tune]'" in err


@pytest.mark.slow
def test_trainings_go_through_fit_alone(config, monkeypatch):
    monkeypatch.setattr(execution, "finish", None)
    monkeypatch.setattr("medxray.training.trainer.Trainer.finish", None)
    assert begin(config, search_space(["l2"], config), trials=1).best
