"""Exports of anomaly runs in a process that has TensorFlow and not medxray."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from medxray.anomaly.serving import squared_gap
from medxray.explain.maps import upsample
from medxray.export.parity import TOLERANCE

METHODS = ("autoencoder", "padim", "patchcore")
PROBE = """
import sys
sys.modules["medxray"] = None
from pathlib import Path
import numpy as np, tensorflow as tf
content = tf.constant([file.read_bytes() for file in sorted(Path("images").iterdir())])
for name in ("autoencoder", "padim", "patchcore"):
    model = tf.saved_model.load(name)
    answer = model.signatures["serve_bytes"](image_bytes=content)
    arrays = {key: value.numpy() for key, value in answer.items() if value.dtype != tf.string}
    arrays["labels"] = np.array([label.decode() for label in answer["label"].numpy()])
    arrays["embedding"] = model.signatures["embed"](image_bytes=content)["embedding"].numpy()
    arrays["signatures"] = np.array(sorted(model.signatures))
    keras_model = tf.keras.models.load_model(name + ".keras", compile=False, safe_mode=True)
    outputs = keras_model(np.load(name + ".npy"))
    arrays["keras"] = outputs[0].numpy()
    np.savez(name + ".npz", **arrays)
"""


@pytest.fixture(scope="module")
def answers(autoencoder, padim, patchcore, phantoms, tmp_path_factory):
    """Method -> (run, files, arrays that the probe got)."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "images").mkdir()
    for file in sorted(phantoms.rglob("*.jpeg"))[:3]:
        shutil.copy(file, folder / "images")
    files = sorted((folder / "images").iterdir())
    runs = dict(zip(METHODS, (autoencoder, padim, patchcore), strict=True))
    for name, run in runs.items():
        shutil.copytree(run.record["export"], folder / name)
        shutil.copy(run.path / "model.keras", folder / f"{name}.keras")
        np.save(folder / f"{name}.npy", run.form.read_inputs(files).pixels.astype(np.float32))
    (folder / "probe.py").write_text(PROBE)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run([sys.executable, "probe.py"], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for name, run in runs.items():
        with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
            found[name] = run, files, dict(stored)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_bytes_give_score_map_and_label_as_the_run_does(answers, method):
    run, files, served = answers[method]
    table, (maps, _) = run.predict(files), run.maps(files)
    np.testing.assert_allclose(served["score"], table["score"], atol=1e-4)
    np.testing.assert_allclose(served["probabilities"][:, 1], table["probability"], atol=1e-4)
    assert served["labels"].tolist() == table["label"].tolist()
    expected = upsample(np.stack([item.anomaly_map for item in maps]), run.input_size).numpy()
    assert served["map"].shape == (len(files), *run.input_size)
    np.testing.assert_allclose(served["map"], expected, atol=1e-4 * max(1, expected.max()))
    assert served["signatures"].tolist() == ["embed", "serve_bytes", "serving_default"]
    assert served["embedding"].shape == (len(files), run.model.get_layer("pooled").output.shape[-1])


@pytest.mark.parametrize("method", METHODS)
def test_model_file_loads_in_safe_mode_without_medxray(answers, method):
    run, files, served = answers[method]
    np.testing.assert_allclose(served["keras"][:, 1], run.predict(files)["raw_probability"], atol=1e-5)


def test_facts_of_an_export_have_no_architecture_where_there_is_none(autoencoder, padim):
    for run, arch in ((autoencoder, None), (padim, "shallow-cnn")):
        facts = json.loads((Path(run.record["export"]) / "assets.extra" / "classes.json").read_text())
        assert facts["arch"] == arch and facts["heat_layer"] is None and facts["positive"] == "PNEUMONIA"


def test_a_patch_that_is_in_the_memory_bank_does_not_fail_the_check_and_a_wrong_distance_does():
    """Patches of length 900: 32-bit rounding makes a distance of 0.5 of what is exactly 0."""
    from medxray.anomaly.patchcore import patchcore_map

    rng = np.random.default_rng(0)
    bank = rng.normal(0, 33, (60, 768)).astype(np.float32)
    image = tf.keras.Input((4, 4, 768))
    model = tf.keras.Model(image, patchcore_map(image, bank=bank, neighbors=np.arange(60)[:, None])[0])
    patches = np.concatenate([bank[:15], rng.normal(0, 33, (1, 768))]).astype(np.float32).reshape(1, 4, 4, 768)
    exact = np.linalg.norm(patches.reshape(16, 1, 768).astype(np.float64) - bank, axis=-1).min(axis=1).reshape(1, 4, 4)
    found = model(patches).numpy()
    assert np.abs(found - exact).max() > TOLERANCE * exact.max()  # what the check may not take for an error
    assert squared_gap(found, exact) < TOLERANCE < squared_gap(found + 5, exact)
