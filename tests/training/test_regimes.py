"""Modes, settings and splits that change a training, from the command line to the figures."""

import json

import numpy as np
import pandas as pd
import pytest

from medxray.errors import ConfigError
from medxray.training.config import TrainConfig


@pytest.fixture
def train(medxray, phantoms, tmp_path, bare):
    """Function (words) -> (record, history, stderr) of a small run on phantoms."""
    places = ["--runs-dir", tmp_path / "runs", "--cache-dir", tmp_path / "cache", "--name", "it", "--no-export"]
    small = ["--data", phantoms, "--weights", "none", "--image-size", 32, "--epochs", 1]

    def run(*words):
        status, _, err = medxray("train", "--arch", "shallow-cnn", *small, *places, *words)
        assert status == 0, err
        folder = tmp_path / "runs" / "it"
        return json.loads((folder / "run.json").read_text()), pd.read_csv(folder / "history.csv"), err

    return run


@pytest.mark.slow
def test_progressive_trains_block_after_block_down_to_all_layers_with_its_own_numbers(train):
    words = ["--unfreeze-to", "block1_pool", "--stage-epochs", "2,1,1", "--stage-learning-rates", "1e-3,1e-4,1e-5"]
    settings = ["--mixup", 0.4, "--ema", 0.9, "--layer-decay", 0.5, "--optimizer", "sgd", "--weight-decay", 1e-4]
    settings += ["--head-epochs", 1]
    record, history, _ = train("--mode", "progressive", *words, *settings, "--train-bn")
    trained = history[history["epoch"] > 0]
    assert trained["stage"].tolist() == ["head", *["block3_relu"] * 2, "block2_pool", "block1_pool"]
    assert trained["view"].astype(str).tolist()[-1] == "on-line"  # the last stage has no frozen layers, the others do
    assert "on-line" not in trained["view"].astype(str).tolist()[:-1]
    assert record["state"] == "completed"


@pytest.mark.slow
def test_full_finds_its_learning_rate_and_decides_on_shifted_views_too(train):
    record, history, err = train("--mode", "full", "--learning-rate", "auto", "--decide-on", "shifted")
    rate = record["learning_rates"]["main"]
    assert 1e-7 <= rate <= 1 and f"Learning rate of stage main: {rate:g}." in err
    assert history["learning_rate"].max() <= rate
    assert record["config"]["augment"] == "robust" and record["config"]["head_units"] == 0
    assert record["other_decision"] is None and record["decision"]["decided_on"] == "clean"  # too few images to fit
    assert "too few images to fit the decision" in err


@pytest.mark.slow
def test_kinds_that_are_held_out_are_the_test_split_and_the_report_says_so(train, tmp_path):
    record, _, _ = train("--holdout", "clusters", "--clusters", 3)
    report = json.loads((tmp_path / "runs" / "it" / "metrics.json").read_text())["splits"]
    assert (
        record["holdout"]["note"] in report["test"]["notes"] and record["holdout"]["note"] not in report["val"]["notes"]
    )
    held = {item["label"]: item["images"] for item in record["holdout"]["clusters"]}
    assert set(held) == {"NORMAL", "PNEUMONIA"}
    split = pd.read_csv(tmp_path / "runs" / "it" / "split.csv")
    assert split.groupby("patient_id")["split"].nunique().max() == 1
    train("--split-file", tmp_path / "runs" / "it" / "split.csv", "--name", "again", "--seed", 1)
    again = tmp_path / "runs" / "again"
    assert json.loads((again / "run.json").read_text())["holdout"] == record["holdout"]
    report = json.loads((again / "metrics.json").read_text())["splits"]
    assert record["holdout"]["note"] in report["test"]["notes"]


@pytest.mark.slow
def test_the_rate_search_writes_a_curve_for_each_stage_and_leaves_no_run(medxray, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--data", phantoms, "--arch", "shallow-cnn", "--image-size", 32, "--cache-dir", "cache"]
    status, out, err = medxray("lr-find", *words, "--out", "found")
    assert status == 0, err
    curve = pd.read_csv(tmp_path / "found" / "main.csv")
    assert len(curve) > 20 and np.all(np.diff(curve["learning_rate"]) > 0)
    assert (tmp_path / "found" / "main.png").read_bytes().startswith(b"\x89PNG") and "Stage main: learning rate " in out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clusters": 4}, "--clusters is for --holdout clusters"),
        ({"mode": "finetune", "weight_decay": 0.1}, "--weight-decay is for --optimizer adamw or sgd. Received adam"),
        ({"schedule": "plateau", "warm_up": 0.1}, "--warm-up is for --schedule cosine"),
        ({"mode": "progressive", "train_bn": True}, "--train-bn is for runs that train every layer"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**options).resolved()


@pytest.mark.parametrize("options", [{}, {"mode": "full"}, {"schedule": "plateau"}, {"optimizer": "adamw"}])
def test_a_resolved_configuration_stays_as_it_is(options):
    resolved = TrainConfig(**options).resolved()
    assert resolved.resolved() == resolved


def test_adamw_decays_where_nothing_else_is_said():
    assert TrainConfig(mode="finetune", optimizer="adamw").resolved().weight_decay == 1e-4
    assert TrainConfig(mode="finetune", optimizer="adamw", weight_decay=0.0).resolved().weight_decay == 0
    assert TrainConfig(mode="finetune").resolved().weight_decay == 0
