"""Does the SavedModel, as written, say what the model says?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy.special import expit

from medxray.data.images.access import content_of
from medxray.errors import RunError
from medxray.metrics.selective import RISKS
from medxray.models.inference import trunk
from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)
TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Compared:
    """The images that a graph and a run are compared on.

    Attributes:
        files: the files that could be read.
        content: string tensor (n,), their bytes.
        images: float32 tensor (n,H,W,C), 0-255, as the model takes them.
        explanations: ExplainRequests that the graph answers.
    """

    files: list[Path]
    content: tf.Tensor
    images: tf.Tensor
    explanations: tuple


def check_parity(run, folder, files, explanations):
    """Load a SavedModel and compare it with the run it came from.

    Everything is computed on the CPU, so that the figures do not depend on the reduced precision of an accelerator.

    Args:
        run: a run as `medxray.load_run` returns it.
        folder: the SavedModel.
        files: JPEG, PNG or BMP files.
        explanations: ExplainRequests that the graph answers.

    Returns:
        dict of the largest absolute differences: `serving_default` (probabilities against the model's),
        `serve_bytes` (against `run.predict`), `label` (where labels differ: how far the probability is from the
        threshold or from that of the other class), `embed` (against the headless model, relative to the largest
        feature where that is above 1), `gate` (the gate's score against `run.predict`, relative to the score where that
        is above 1; only with a gate), `prediction_set` and `abstain` (where one differs: how far the probability is
        from the threshold; only where the graph has them), and what `run.kind.parity` compares besides.

    Raises:
        RunError: a difference is above `TOLERANCE`, or no file can be read.
    """
    with tf.device("/CPU:0"):
        differences = _differences(run, tf.saved_model.load(str(folder)), _read(run, files, explanations))
    wrong = [f"{name} {value:.1e}" for name, value in differences.items() if not value <= TOLERANCE]
    if wrong:
        raise RunError(
            f"The exported graph of {run.path} must agree with the model to {TOLERANCE:.0e}. Received differences: "
            f"{', '.join(wrong)}. Nothing was exported; the run itself is untouched."
        )
    return differences


def _differences(run, loaded, compared):
    answer, table = to_numpy(loaded.signatures["serve_bytes"](compared.content)), run.predict(compared.files)
    logits, features = (output.numpy() for output in trunk(run.model)(compared.images, training=False))
    direct = loaded.signatures["serving_default"](compared.images)["probabilities"].numpy()
    embedding = loaded.signatures["embed"](compared.content)["embedding"].numpy()
    return {
        "serving_default": largest_difference(direct, run.decision.calibration.probabilities(logits)),
        "serve_bytes": largest_difference(answer["probabilities"], _predicted(run, table)),
        "label": _label_gap(run, table, answer["label"]),
        "embed": largest_difference(embedding, features) / max(1.0, float(np.abs(features).max())),
        **_gate(table, answer),
        **_unsure(run, logits, answer),
        **run.kind.parity(run, loaded, compared),
    }


def _read(run, files, explanations):
    files, pixels, _ = run.form.read_inputs(files)
    if not files:
        raise RunError(f"No image to compare the export of {run.path} on could be read.")
    content = tf.constant([content_of(file) for file in files])
    return Compared(files, content, tf.constant(pixels, tf.float32), tuple(explanations))


def _gate(table, answer):
    if "gate_score" not in answer:
        return {}
    expected = table["gate_score"].to_numpy()
    return {"gate": float((np.abs(answer["gate_score"] - expected) / np.maximum(expected, 1.0)).max())}


def _unsure(run, logits, answer):
    """How far probabilities are from thresholds where sets or abstentions differ; labels that differ are told apart."""
    if run.unsure is None:
        return {}
    log_odds, labels = run.decision.calibration.log_odds(logits), run.decision.labels(logits)
    names = [label.decode() for label in answer["label"]]
    same = np.array([name == run.classes[label] for name, label in zip(names, labels, strict=True)])
    different = (answer["prediction_set"] != run.unsure.sets.contains(log_odds, labels)) & same[:, None]
    gaps = np.abs(expit(log_odds) - expit(run.unsure.sets.log_odds))
    found = {"prediction_set": float(gaps[different].max(initial=0.0))}
    point = run.unsure.abstention.point(RISKS[0])
    if point is not None:
        different = (answer["abstain"] == run.unsure.answered(logits, run.decision, point)) & same
        gaps = np.abs(expit(log_odds[np.arange(len(labels)), labels]) - expit(point.log_odds))
        found["abstain"] = float(gaps[different].max(initial=0.0))
    return found


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
