"""What a gate says about a batch of images, and how it stands in the table of predictions."""

import numpy as np
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.gate.graph import GateGraph

ANSWERS = ("warn", "refuse", "off")
COLUMNS = ("gate_score", "in_distribution", "gate_reason")


def check_answer(gate):
    """Raise ConfigError unless `gate` is one of `ANSWERS`."""
    if gate not in ANSWERS:
        raise ConfigError(f"--gate must be one of {', '.join(ANSWERS)}. Received '{gate}'.")


def judge_of(gate, *, size, channels):
    """The compiled gate: function (float images (n,H,W,C), pooled features (n,c)) -> dict of numpy arrays by COLUMNS.

    Args:
        gate: parts.Gate.
        size: (height, width) of the model's input in pixels.
        channels: 1 or 3.
    """
    images = tf.TensorSpec((None, *size, channels), tf.float32)
    pooled = tf.TensorSpec((None, len(gate.features.mean)), tf.float32)
    graph = GateGraph(gate)
    compiled = tf.function(graph, input_signature=[images, pooled])

    def judge(batch, features):
        answer = {name: value.numpy() for name, value in compiled(batch, features).items()}
        answer["gate_reason"] = np.array([reason.decode() for reason in answer["gate_reason"]], object)
        return answer

    judge.graph = graph  # a compiled function does not keep the variables alive
    return judge


def refusals(answers, errors):
    """The errors of a table with the images that the gate refuses as further ones.

    Args:
        answers: list of what `judge` said, batch by batch.
        errors: list of why an image could not be read, "" where it could.

    Returns:
        list of the same length.
    """
    verdict = _joined(answers)
    rows = zip(errors, verdict["in_distribution"], verdict["gate_reason"], verdict["gate_score"], strict=True)
    return [error or ("" if accepted else refusal_text(reason, score)) for error, accepted, reason, score in rows]


def refusal_text(reason, score):
    """Why an image is refused, in words."""
    return f"not like the training images: {reason} (gate score {score:.2f}, accepted up to 1)"


def with_verdicts(table, answers, errors):
    """A table of predictions with the columns of the gate; they are empty where an image could not be read."""
    verdict, unread = _joined(answers), np.array([bool(error) for error in errors], bool)
    return table.assign(
        gate_score=np.where(unread, np.nan, verdict["gate_score"].astype(np.float64)),
        in_distribution=np.where(unread, None, verdict["in_distribution"].astype(object)),
        gate_reason=np.where(unread, "", verdict["gate_reason"]),
    )


def _joined(answers):
    return {name: np.concatenate([answer[name] for answer in answers]) for name in COLUMNS}
