"""The export and model.keras in a process that has TensorFlow and not medxray, and docs/savedmodel.md word by word."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

DOC = (Path(__file__).resolve().parents[2] / "docs" / "savedmodel.md").read_text(encoding="utf-8")

# Runs after the snippet of the document, in the same process.
PROBE = """
import numpy as np
files = sorted(Path("images").iterdir())
content = tf.constant([file.read_bytes() for file in files])
arrays = {}
for name, signature in model.signatures.items():
    images = {"images": tf.constant(np.load("pixels.npy"))}
    outputs = signature(**images if name == "serving_default" else {"image_bytes": content})
    arrays |= {f"{name}.{key}": value.numpy() for key, value in outputs.items() if key != "label"}
    if "label" in outputs:
        arrays[f"{name}.label"] = np.array([label.decode() for label in outputs["label"].numpy()])
keras_model = tf.keras.models.load_model("model.keras", compile=False, safe_mode=True)
arrays["keras"] = keras_model(np.load("pixels.npy")).numpy()
np.savez("answers.npz", **arrays)
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOC, flags=re.DOTALL)


def run_isolated(arguments, folder):
    """Run with `folder` as current folder and import path, without the environment of the project."""
    hidden = ("PYTHONPATH", "PYTHONSTARTUP")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def elsewhere(binary_run, binary_export, image_files, tmp_path_factory):
    """A folder as the document supposes it: saved_models/vgg16-finetune/1 and image.jpeg."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(binary_export.path, folder / "saved_models" / "vgg16-finetune" / "1")
    (folder / "images").mkdir()
    for file in image_files(binary_run):
        if file.suffix in (".jpeg", ".jpg", ".png"):
            shutil.copy(file, folder / "images")
    shutil.copy(folder / "images" / "a.jpeg", folder / "image.jpeg")
    shutil.copy(binary_run.path / "model.keras", folder)
    _, pixels, _ = binary_run.form.read_inputs(sorted((folder / "images").iterdir()))
    np.save(folder / "pixels.npy", pixels.astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def printed(elsewhere):
    """What the snippet prints; the probe leaves answers.npz."""
    (snippet,) = blocks("python")
    hide = "import sys\nsys.modules['medxray'] = None\n"  # importing it is an error, also where it is installed
    (elsewhere / "snippet.py").write_text(hide + snippet + PROBE)
    return run_isolated([sys.executable, "snippet.py"], elsewhere)


def test_documented_snippet_prints_what_the_run_predicts(printed, elsewhere, binary_run):
    row = binary_run.predict([elsewhere / "image.jpeg"]).iloc[0]
    label, *probabilities, shapes = printed.splitlines()
    assert label == row["label"]
    assert [line.split(":")[0] for line in probabilities] == ["NORMAL", "PNEUMONIA"]
    assert float(probabilities[1].split(":")[1]) == pytest.approx(row["probability"], abs=6e-4)
    assert shapes == "(1, 64, 64) (1, 64)"


def test_all_signatures_answer_as_the_run_in_a_process_without_medxray(printed, elsewhere, binary_run):
    files = sorted((elsewhere / "images").iterdir())
    assert {file.suffix for file in files} == {".jpeg", ".jpg", ".png"}
    table = binary_run.predict(files)
    heatmaps, _ = binary_run.gradcam(files)
    with np.load(elsewhere / "answers.npz", allow_pickle=False) as answers:
        for name in ("serving_default", "serve_bytes", "gradcam"):
            np.testing.assert_allclose(answers[f"{name}.probabilities"][:, 1], table["probability"], atol=1e-4)
        for name in ("serving_default", "serve_bytes"):
            assert answers[f"{name}.label"].tolist() == table["label"].tolist()
            np.testing.assert_allclose(answers[f"{name}.raw_probabilities"][:, 1], table["raw_probability"], atol=1e-4)
        np.testing.assert_allclose(answers["gradcam.heatmap"], [each.heatmap for each in heatmaps], atol=1e-4)
        assert answers["embed.embedding"].shape == (len(files), 64)


def test_model_file_loads_in_safe_mode_in_a_process_without_medxray(printed, elsewhere, binary_run):
    pixels = np.load(elsewhere / "pixels.npy")
    with np.load(elsewhere / "answers.npz", allow_pickle=False) as answers:
        np.testing.assert_allclose(answers["keras"], binary_run.model(pixels).numpy(), atol=1e-5)


def test_documented_names_and_keys_are_those_of_the_export(elsewhere):
    folder = elsewhere / "saved_models/vgg16-finetune/1"
    for name, signature in tf.saved_model.load(str(folder)).signatures.items():
        row = next(line for line in DOC.splitlines() if line.startswith(f"| `{name}`"))
        row = DOC.split("| `serving_default` |")[1].splitlines()[0] + row if "as `serving_default`" in row else row
        names = [*signature.structured_input_signature[1], *signature.structured_outputs]
        assert all(f"`{each}`" in row for each in names), (name, names)
    table = DOC.split("`assets.extra/classes.json`:")[1].split("## ")[0]
    facts = json.loads((folder / "assets.extra/classes.json").read_text())
    assert [key for key in facts if f"`{key}`" not in table] == []


def test_documented_rest_body_is_what_the_signature_takes():
    request = json.loads(blocks("json")[0])
    assert request["signature_name"] == "serve_bytes"
    (instance,) = request["instances"]
    assert list(instance) == ["image_bytes"]
    assert base64.b64decode(instance["image_bytes"]["b64"].rstrip(".") + "==").startswith(b"\xff\xd8\xff")  # a JPEG


@pytest.mark.slow
def test_documented_command_lines_of_saved_model_cli_work(elsewhere):
    commands = f'export PATH="{Path(sys.executable).parent}:$PATH"\nset -e\n{blocks("sh")[0]}'
    shown = run_isolated(["bash", "-c", commands], elsewhere)
    assert "inputs['image_bytes'] tensor_info" in shown
    assert "Result for output key probabilities" in shown and "[b'" in shown
