"""The gate of a trained run: its file, its answers in tables and graphs, and runs without one."""

import json
import logging
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from click.testing import CliRunner

from medxray import load_run
from medxray.cli.explain import gradcam
from medxray.cli.gate import gate
from medxray.cli.predict import predict
from medxray.data.phantom.draw import generate_phantoms
from medxray.errors import ConfigError, DataError, RunError
from medxray.gate.run_gate import refit
from medxray.gate.verdicts import COLUMNS


@pytest.fixture(scope="module")
def pictures(trained, tmp_path_factory):
    """Folder with a validation phantom, noise and a text file named .png."""
    folder = tmp_path_factory.mktemp("pictures")
    table = pd.read_csv(trained.directory.split_file)
    first = table[table["split"] == "val"]["path"].iloc[0]
    shutil.copy(f"{trained.record['data']['root']}/{first}", folder / "a.jpeg")
    cv2.imwrite(str(folder / "b.png"), np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    (folder / "c.png").write_text("no image")
    return folder


@pytest.fixture
def gateless(trained, tmp_path):
    """The trained run without its gate."""
    shutil.copytree(trained.path, tmp_path / "run")
    (tmp_path / "run" / "gate.npz").unlink()
    return load_run(tmp_path / "run")


@pytest.fixture
def invoke(trained, monkeypatch):
    """Function (command, *words) -> result, with the model that is loaded already."""
    monkeypatch.setattr("medxray.api.load_run", lambda path: trained)
    return lambda command, *words: CliRunner().invoke(command, [str(word) for word in words])


def test_training_leaves_a_gate_that_accepts_its_validation_images(trained):
    table = pd.read_csv(trained.directory.split_file)
    root = trained.record["data"]["root"]
    files = [f"{root}/{path}" for path in table[table["split"] == "val"]["path"]]
    found = trained.predict(files)
    assert found["in_distribution"].mean() >= 0.9
    record = trained.directory.read_record()["gate"]
    assert record["accepted"] >= 0.99
    assert record["validation_images"] == len(files) < record["validation_views"]
    assert "accepts" in trained.directory.card_file.read_text()


def test_a_model_trained_on_phantoms_accepts_most_new_phantoms(trained, tmp_path):
    """Most, not all: the gate knows how far images may differ from eight validation images alone."""
    generate_phantoms(tmp_path, patients=20, size=64, seed=77)
    found = trained.predict(sorted(tmp_path.rglob("*.jpeg")))
    assert len(found) >= 40 and found["in_distribution"].mean() >= 0.75


def test_the_table_has_what_the_gate_says(trained, pictures):
    good, noise, broken = trained.predict([pictures]).itertuples()
    assert good.gate_score <= 1 and good.in_distribution is True and good.gate_reason == ""
    assert noise.gate_score > 1 and noise.in_distribution is False and noise.gate_reason
    assert np.isnan(broken.gate_score) and broken.in_distribution is None and broken.gate_reason == ""
    assert noise.error == "" and noise.label and broken.error


def test_refuse_makes_an_error_of_it_and_off_says_nothing(trained, pictures):
    good, noise, broken = trained.predict([pictures], gate="refuse").itertuples()
    assert (good.error, noise.label) == ("", "")
    assert noise.error.startswith(f"not like the training images: {noise.gate_reason} (gate score ")
    assert np.isnan(noise.probability) and noise.gate_score > 1 and noise.in_distribution is False
    assert "not like" not in broken.error
    off = trained.predict([pictures], gate="off")
    assert not set(COLUMNS) & set(off)
    pd.testing.assert_frame_equal(off, trained.predict([pictures]).drop(columns=list(COLUMNS)))
    with pytest.raises(ConfigError, match="--gate must be one of warn, refuse, off. Received 'maybe'"):
        trained.predict([pictures], gate="maybe")


def test_unreadable_files_alone_have_empty_gate_columns(trained, pictures):
    (row,) = trained.predict([pictures / "c.png"], gate="refuse").itertuples()
    assert np.isnan(row.gate_score) and row.in_distribution is None and row.error


def test_predict_warns_marks_and_exits_as_told(invoke, pictures):
    images = pictures / "a.jpeg", pictures / "b.png"
    warned = invoke(predict, *images)
    assert warned.exit_code == 0
    assert f"Warning: {images[1]}: not like the training images: " in warned.stderr
    lines = warned.stdout.splitlines()
    assert lines[0].endswith("a.jpeg") and lines[1].endswith(")")
    refused = invoke(predict, *images, "--gate", "refuse")
    assert refused.exit_code == 1 and len(refused.stdout.splitlines()) == 1
    assert f"Error: {images[1]}: not like the training images: " in refused.stderr
    off = invoke(predict, *images, "--gate", "off")
    assert off.exit_code == 0 and "not like" not in off.stderr + off.stdout
    assert invoke(predict, *images, "--gate", "maybe").exit_code == 2


def test_json_and_csv_have_the_gate(invoke, pictures, tmp_path):
    found = invoke(predict, pictures, "--json")
    rows = json.loads(found.stdout)
    assert [row["in_distribution"] for row in rows] == [True, False, None]
    assert [row["gate_score"] is None for row in rows] == [False, False, True]
    assert rows[1]["gate_reason"] and not rows[0]["gate_reason"]
    invoke(predict, pictures, "--csv", tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["gate_score"].iloc[1] == pytest.approx(rows[1]["gate_score"])
    assert table["in_distribution"].tolist()[:2] == [True, False]


def test_refused_images_have_no_neighbours_listed(invoke, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("medxray.embeddings.extract.write_embeddings", lambda *parts: None)  # the run is shared
    words = (predict, pictures / "b.png", pictures / "a.jpeg", "--gate", "refuse")
    found = invoke(*words, "--neighbors", 1, "--neighbors-out", tmp_path / "near", "--json")
    assert [len(row["neighbors"]) for row in json.loads(found.stdout)] == [0, 1]
    assert [file.name for file in (tmp_path / "near").iterdir()] == ["a-neighbors.png"]


def test_gradcam_explains_and_warns(invoke, pictures, tmp_path):
    words = (gradcam, pictures / "a.jpeg", pictures / "b.png")
    found = invoke(*words, "--out", tmp_path / "maps")
    assert found.exit_code == 0 and len(found.stdout.splitlines()) == 2
    assert found.stderr.count("not like the training images") == 1
    assert f"Warning: {pictures / 'b.png'}: not like" in found.stderr


def test_the_exported_graph_says_the_same(trained, pictures):
    files = [pictures / "a.jpeg", pictures / "b.png"]
    table = trained.predict(files)
    folder = trained.directory.read_record()["export"]
    signatures = tf.saved_model.load(folder).signatures
    answer = signatures["serve_bytes"](tf.constant([file.read_bytes() for file in files]))
    np.testing.assert_allclose(answer["gate_score"], table["gate_score"], rtol=1e-4)
    assert answer["in_distribution"].numpy().tolist() == table["in_distribution"].tolist()
    assert [reason.decode() for reason in answer["gate_reason"].numpy()] == table["gate_reason"].tolist()
    direct = signatures["serving_default"](tf.constant(trained.form.read_inputs(files).pixels, tf.float32))
    np.testing.assert_allclose(direct["gate_score"], answer["gate_score"], rtol=1e-4)


def test_a_run_without_a_gate_says_once_how_to_get_one(gateless, pictures, caplog):
    with caplog.at_level(logging.WARNING, "medxray"):
        table = gateless.predict([pictures / "a.jpeg"])
        gateless.predict([pictures / "b.png"], gate="refuse")
    assert not set(COLUMNS) & set(table)
    assert len({record.created for record in caplog.records}) == 1
    assert f"Fit one with: medxray gate {gateless.path}" in caplog.text


def test_the_gate_command_fits_the_gate_of_training_again(trained, gateless):
    found = CliRunner().invoke(gate, [str(gateless.path)])
    assert found.exit_code == 0 and found.stdout.strip() == str(gateless.path / "gate.npz")
    again = load_run(gateless.path)
    np.testing.assert_allclose(again.gate.scales, trained.gate.scales, rtol=0.02)  # cached activations are float16
    np.testing.assert_allclose(again.gate.layout.mean, trained.gate.layout.mean, atol=1e-5)


def test_a_damaged_gate_is_an_error_that_says_what_to_do(gateless, pictures):
    gateless.directory.gate_file.write_bytes(b"PK damaged")
    with pytest.raises(RunError, match=f"Fit it again with: medxray gate {gateless.path}"):
        gateless.predict([pictures / "a.jpeg"])
    assert len(gateless.predict([pictures / "a.jpeg"], gate="off")) == 1


def test_refitting_needs_images(gateless):
    gateless.record["data"]["root"] = "/nowhere"
    with pytest.raises(DataError, match="/nowhere"):
        refit(gateless)
