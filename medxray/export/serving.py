"""The exported graph: encoded images in; probabilities, labels, embeddings and heatmaps out."""

import errno
from dataclasses import dataclass

import tensorflow as tf

from medxray.data.images import decode
from medxray.explain.explainer import ExplainRequest
from medxray.export.explanations import served_requests
from medxray.gate.graph import GateGraph
from medxray.metrics.calibration import Calibration
from medxray.metrics.selective import RISKS
from medxray.metrics.unsure import Unsure
from medxray.models.inference import trunk
from medxray.models.registry import Architecture
from medxray.system import storage


@dataclass(frozen=True)
class ServingSpec:
    """What the graph needs beside the model's weights.

    Attributes:
        classes: names in the order of the probabilities.
        threshold: the positive class (the last of two) is the label from these calibrated log-odds on; None with three
            or more classes.
        calibration: how logits become probabilities.
        size: (height, width) of the input in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        architecture: row of models.registry; None where the model is of none of them.
        unsure: prediction sets and abstention of the run; None: the graph does not say when it is unsure.
        explanations: ExplainRequests, each of which is a signature; see `explanations.served_requests`.
    """

    classes: tuple[str, ...]
    threshold: float | None
    calibration: Calibration
    size: tuple[int, int]
    channels: int
    resize: str
    architecture: Architecture | None
    unsure: Unsure | None = None
    explanations: tuple[ExplainRequest, ...] = ()


def serving_of(run, explanations=None):
    """The Serving of a run, by its kind.

    Args:
        run: a run as `medxray.load_run` returns it.
        explanations: ExplainRequests; None: what graphs of its kind hold by default.

    Raises:
        ConfigError: the model cannot be explained by one of them.
    """
    explanations = served_requests(run) if explanations is None else explanations
    return run.kind.serving(run.model, serving_spec(run, explanations), run.gate)


def serving_spec(run, explanations):
    """The ServingSpec of a run with some ExplainRequests."""
    point = run.decision.threshold
    return ServingSpec(
        classes=tuple(run.classes),
        threshold=None if point is None else point.log_odds,
        calibration=run.decision.calibration,
        size=tuple(run.input_size),
        channels=run.channels,
        resize=run.resize,
        architecture=run.architecture,
        unsure=run.unsure,
        explanations=tuple(explanations),
    )


class Serving(tf.Module):
    """The functions of the exported graph over one set of weights: what every kind of run has.

    A subclass adds the name of a further signature to NAMES, and a method of that name.

    Args:
        model: keras.Model of the run.
        spec: ServingSpec.
        gate: gate.parts.Gate of the run, or None: the answers then say nothing about it.

    Attributes:
        forward: tf.function that holds the network once; the signatures call it.
        heat_layer: name of the layer that a signature's heatmaps come from; None without such a signature.
        EXPLAINED: names of the explanation methods that it holds by default, with commas between them.
    """

    NAMES = ("serving_default", "serve_bytes", "embed")
    EXPLAINED = ""
    heat_layer = None

    def __init__(self, model, spec, gate=None):
        super().__init__(name="medxray")
        self.gate = None if gate is None else GateGraph(gate)
        self.weights = [weight.value for weight in model.weights]  # what is not an attribute is not saved
        self._spec = spec
        images = tf.TensorSpec((None, *spec.size, spec.channels), tf.float32, "images")
        content = tf.TensorSpec((None,), tf.string, "image_bytes")
        network = self._network(model)
        self.forward = tf.function(lambda images: network(images, training=False), input_signature=[images])
        self.serving_default = tf.function(self._serving_default, input_signature=[images])
        self.serve_bytes = tf.function(self._serve_bytes, input_signature=[content])
        self.embed = tf.function(self._embed, input_signature=[content])

    @property
    def explanations(self):
        """The ExplainRequests that it answers, tuple."""
        return self._spec.explanations

    def signatures(self):
        """Signature name -> tf.function."""
        return {name: getattr(self, name) for name in self.NAMES}

    def _network(self, model):
        """The model cut for export; its first two outputs are logits (N,K) and pooled features (N,c)."""
        return trunk(model)

    def _serving_default(self, images):
        outputs = self.forward(images)
        return self._answer(outputs) | ({} if self.gate is None else self.gate(images, outputs[1]))

    def _serve_bytes(self, image_bytes):
        return self._serving_default(self._images(image_bytes))

    def _embed(self, image_bytes):
        return {"embedding": tf.cast(self.forward(self._images(image_bytes))[1], tf.float32)}

    def _images(self, image_bytes):
        """Encoded images (N,) -> float32 (N,H,W,C), 0-255, by the decoding and resizing of training."""
        spec = self._spec
        pixels = tf.map_fn(
            lambda content: decode.resize(decode.decode(content, spec.size, spec.channels), spec.size, spec.resize),
            image_bytes,
            fn_output_signature=tf.TensorSpec((*spec.size, spec.channels), tf.uint8),
        )
        return tf.cast(pixels, tf.float32)

    def _scores(self, logits):
        """Calibrated scores (N,K), float64: their softmax is the probability, their difference the log-odds."""
        return self._spec.calibration.scores(tf.cast(logits, tf.float64))

    def _calibrated(self, logits):
        return tf.nn.softmax(self._scores(logits))

    def _answer(self, outputs):
        """What is said about images, from the outputs of the network."""
        logits = outputs[0]
        scores, calibrated = self._scores(logits), self._calibrated(logits)
        if self._spec.threshold is None:
            index = tf.argmax(scores, axis=-1)
        else:
            index = tf.cast(scores[:, 1] - scores[:, 0] >= self._spec.threshold, tf.int64)
        return {
            "probabilities": tf.cast(calibrated, tf.float32),
            "raw_probabilities": tf.nn.softmax(logits),
            "label": tf.gather(tf.constant(self._spec.classes), index),
            **self._unsure(scores, index),
        }

    def _unsure(self, scores, index):
        """The prediction set, and whether to abstain where the run can keep the first of RISKS; scores are calibrated.

        Args:
            scores: float64 tensor (N,K).
            index: int64 tensor (N,), of the label.
        """
        unsure = self._spec.unsure
        if unsure is None:
            return {}
        log_odds, classes = _log_odds(scores), len(self._spec.classes)
        labelled = tf.one_hot(index, classes, on_value=True, off_value=False, dtype=tf.bool)
        found = {"prediction_set": (log_odds >= tf.constant(unsure.sets.log_odds, tf.float64)) | labelled}
        point = unsure.abstention.point(RISKS[0])
        if point is not None:
            sure = tf.gather(log_odds, index, batch_dims=1)
            found["abstain"] = sure < tf.constant(point.log_odds, tf.float64)
        return found


def _log_odds(scores):
    """Log-odds of each class against the others, of calibrated scores: float64 tensor (N,K), the same."""
    others = [
        tf.reduce_logsumexp(tf.concat([scores[:, :k], scores[:, k + 1 :]], axis=1), axis=1)
        for k in range(scores.shape[1])
    ]
    return scores - tf.stack(others, axis=1)


def save_serving(serving, folder):
    """Write the SavedModel into an existing empty folder.

    Raises:
        StorageError: disk full or no permission.
    """
    try:
        tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
    except tf.errors.ResourceExhaustedError as error:
        raise storage.storage_error(folder.parent, OSError(errno.ENOSPC, "disk full")) from error
    except tf.errors.OpError as error:
        raise storage.storage_error(folder.parent, OSError(error.message)) from error
