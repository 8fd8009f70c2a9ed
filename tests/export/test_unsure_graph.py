"""The exported graph says when it is unsure, as the run does; without the block it has no such outputs."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from medxray.api import load_run
from medxray.errors import RunError
from medxray.export import export_model
from medxray.export import parity as parity_module


def block(log_odds, threshold, *, wrong=0):
    sets = {"level": 0.9, "log_odds": log_odds, "patients": [60] * len(log_odds)}
    counts = {"clean": {"answered": [400], "wrong": [wrong]}}
    return {"sets": sets, "abstain": {"confidence": 0.9, "patients": 400, "log_odds": [threshold], "views": counts}}


@pytest.fixture(params=["binary_run", "subtype_run"])
def unsure_run(request, tmp_path):
    """A run with thresholds in the middle of what its images have, so that sets and answers differ."""
    run = request.getfixturevalue(request.param)
    shutil.copytree(run.path, tmp_path / "run")
    copy = load_run(tmp_path / "run")
    files = sorted(file for file in (run.path.parent / "images").rglob("*.*"))
    table = copy.predict(files)
    probability = table[[f"probability_{name}" for name in copy.classes]].to_numpy()
    log_odds = np.log(probability / (1 - probability))
    own = [copy.classes.index(label) for label in table["label"]]
    middle = np.sort(log_odds[np.arange(len(own)), own])[2:4].mean()
    copy.directory.update_record(unsure=block(np.sort(log_odds, axis=0)[2:4].mean(axis=0).tolist(), float(middle)))
    return load_run(tmp_path / "run"), files


def test_sets_and_abstentions_are_those_of_predict_and_compared_at_export(unsure_run, tmp_path):
    run, files = unsure_run
    result = export_model(run, tmp_path / "model")
    assert {"prediction_set", "abstain"} <= set(result.parity)
    loaded = tf.saved_model.load(str(result.path))
    content = tf.constant([file.read_bytes() for file in files])
    answer = loaded.signatures["serve_bytes"](content)
    table = run.predict(files, abstain=0.05)
    assert answer["prediction_set"].dtype == tf.bool == answer["abstain"].dtype
    expected = [[name in names for name in run.classes] for names in table["prediction_set"]]
    assert answer["prediction_set"].numpy().tolist() == expected
    assert (~answer["abstain"].numpy()).tolist() == table["answered"].tolist()
    assert 0 < table["answered"].mean() < 1 and 0 < np.mean(expected) < 1
    pixels = tf.constant(run.form.read_inputs(files).pixels, tf.float32)
    direct = loaded.signatures["serving_default"](pixels)
    assert direct["prediction_set"].numpy().tolist() == expected
    facts = json.loads((result.path / "assets.extra" / "classes.json").read_text())["unsure"]
    assert facts["level"] == 0.9 and facts["abstain"]["risk"] == 0.05 and facts["views"] == ["clean"]


@pytest.mark.slow
def test_a_graph_with_other_thresholds_than_the_run_is_refused(unsure_run, tmp_path):
    run, files = unsure_run
    path = export_model(run, tmp_path / "model").path
    changed = run.record["unsure"]
    changed["sets"]["log_odds"] = [None for _ in run.classes]
    changed["abstain"]["log_odds"] = [None]
    run.directory.update_record(unsure=changed)
    with pytest.raises(RunError, match=r"must agree with the model .*prediction_set.*abstain"):
        parity_module.check_parity(load_run(run.path), path, files, ())


def test_an_error_that_cannot_be_kept_has_no_output(unsure_run, tmp_path):
    run, files = unsure_run
    run.directory.update_record(unsure=block(run.record["unsure"]["sets"]["log_odds"], 0.0, wrong=200))
    result = export_model(load_run(run.path), tmp_path / "model")
    names = tf.saved_model.load(str(result.path)).signatures["serve_bytes"].structured_outputs
    assert "prediction_set" in names and "abstain" not in names and "abstain" not in result.parity
    facts = json.loads((result.path / "assets.extra" / "classes.json").read_text())["unsure"]
    assert facts["abstain"] is None


def test_a_run_of_an_earlier_version_has_neither(binary_run, binary_export):
    assert binary_run.unsure is None
    names = tf.saved_model.load(str(binary_export.path)).signatures["serve_bytes"].structured_outputs
    assert not {"prediction_set", "abstain"} & set(names)
    assert json.loads((binary_export.path / "assets.extra" / "classes.json").read_text())["unsure"] is None
