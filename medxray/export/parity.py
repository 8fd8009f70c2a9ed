"""Does the SavedModel, as written, say what the model says?"""

import numpy as np
import tensorflow as tf

from medxray.errors import RunError
from medxray.explain.keras_vis import gradcam
from medxray.explain.maps import default_targets, upsample
from medxray.models.inference import trunk

TOLERANCE = 1e-4


def check_parity(run, folder, files):
    """Load a SavedModel and compare it with the run it came from.

    Everything is computed on the CPU, so that the figures do not depend on the reduced precision of an accelerator.

    Args:
        run: a run as `medxray.load_run` returns it.
        folder: the SavedModel.
        files: JPEG, PNG or BMP files.

    Returns:
        dict of the largest absolute differences: `serving_default` (probabilities against the model's),
        `serve_bytes` (against `run.predict`), `label` (where labels differ: how far the probability is from the
        threshold or from that of the other class), `embed` (against the headless model, relative to the largest
        feature where that is above 1), `gate` (the gate's score against `run.predict`, relative to the score where that
        is above 1; only with a gate). For a classifier also `gradcam_layer` (against tf-keras-vis at the resolution of
        the heat layer) and `gradcam` (the same, upsampled to the input); for an anomaly run `score` and `map` (against
        `run.maps`, the map upsampled; relative to the largest where that is above 1), and for PatchCore `neighbors`
        (squared distances against scikit-learn, relative to the largest where that is above 1).

    Raises:
        RunError: a difference is above `TOLERANCE`, or no file can be read.
    """
    with tf.device("/CPU:0"):
        differences = _differences(run, tf.saved_model.load(str(folder)), files)
    wrong = [f"{name} {value:.1e}" for name, value in differences.items() if not value <= TOLERANCE]
    if wrong:
        raise RunError(
            f"The exported graph of {run.path} must agree with the model to {TOLERANCE:.0e}. Received differences: "
            f"{', '.join(wrong)}. Nothing was exported; the run itself is untouched."
        )
    return differences


def _differences(run, loaded, files):
    files, pixels, _ = run.form.read_inputs(files)
    if not files:
        raise RunError(f"No image to compare the export of {run.path} on could be read.")
    content = tf.constant([file.read_bytes() for file in files])
    images = tf.constant(pixels, tf.float32)
    answer, table = to_numpy(loaded.signatures["serve_bytes"](content)), run.predict(files)
    logits, features = (output.numpy() for output in trunk(run.model)(images, training=False))
    direct = loaded.signatures["serving_default"](images)["probabilities"].numpy()
    embedding = loaded.signatures["embed"](content)["embedding"].numpy()
    return {
        "serving_default": largest_difference(direct, run.decision.calibration.probabilities(logits)),
        "serve_bytes": largest_difference(answer["probabilities"], _predicted(run, table)),
        "label": _label_gap(run, table, answer["label"]),
        "embed": largest_difference(embedding, features) / max(1.0, float(np.abs(features).max())),
        **_gate(table, answer),
        **run.parity(loaded, files, content=content, images=images),
    }


def _gate(table, answer):
    if "gate_score" not in answer:
        return {}
    expected = table["gate_score"].to_numpy()
    return {"gate": float((np.abs(answer["gate_score"] - expected) / np.maximum(expected, 1.0)).max())}


def gradcam_parity(run, loaded, *, content, images):
    """Largest differences between the heatmaps of the exported graph and those of tf-keras-vis."""
    logits = trunk(run.model)(images, training=False)[0].numpy()
    targets = default_targets(len(run.classes), run.decision.calibration)(logits)
    maps = gradcam(run.model, images.numpy(), targets, layer=run.architecture.heat_layer)
    heatmap = loaded.signatures["gradcam"](content)["heatmap"].numpy()
    return {
        "gradcam_layer": largest_difference(loaded.explain(images)[0].numpy(), maps),
        "gradcam": largest_difference(heatmap, upsample(maps, run.input_size).numpy()),
    }


def to_numpy(outputs):
    """The outputs of a signature (dict name -> tensor) as numpy arrays."""
    return {name: value.numpy() for name, value in outputs.items()}


def largest_difference(received, expected):
    """Largest absolute difference of two arrays, as a float."""
    return float(np.abs(received - expected).max())


def _predicted(run, table):
    return table[[f"probability_{name}" for name in run.classes]].to_numpy(np.float64)


def _label_gap(run, table, labels):
    probabilities, names = _predicted(run, table), list(run.classes)
    gaps = [0.0]
    for row, (expected, label) in enumerate(zip(table["label"], labels, strict=True)):
        received = label.decode()
        if received == expected:
            continue
        if run.decision.threshold is not None:
            gaps.append(abs(probabilities[row, 1] - run.decision.threshold.value))
        else:
            gaps.append(probabilities[row, names.index(expected)] - probabilities[row, names.index(received)])
    return float(max(gaps))
