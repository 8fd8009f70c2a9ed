"""The exported graph: encoded images in; probabilities, labels, embeddings and heatmaps out."""

import errno
from dataclasses import dataclass

import tensorflow as tf

from medxray.data.images import decode
from medxray.explain.gradcam import gradcam_graph
from medxray.explain.maps import default_targets, upsample
from medxray.gate.graph import GateGraph
from medxray.metrics.calibration import Calibration
from medxray.models.inference import trunk
from medxray.system import storage


@dataclass(frozen=True)
class ServingSpec:
    """What the graph needs beside the model's weights.

    Attributes:
        classes: names in the order of the probabilities.
        threshold: the positive class (the last of two) is the label from this calibrated probability on; None with
            three or more classes.
        calibration: how logits become probabilities.
        size: (height, width) of the input in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        layer: heat layer of Grad-CAM; None for an anomaly run.
    """

    classes: tuple[str, ...]
    threshold: float | None
    calibration: Calibration
    size: tuple[int, int]
    channels: int
    resize: str
    layer: str | None


def serving_of(run):
    """The Serving of a run, by its kind."""
    return run.serving_class()(run.model, serving_spec(run), run.gate)


def serving_spec(run):
    """The ServingSpec of a run."""
    point = run.decision.threshold
    return ServingSpec(
        classes=tuple(run.classes),
        threshold=None if point is None else point.value,
        calibration=run.decision.calibration,
        size=tuple(run.input_size),
        channels=run.channels,
        resize=run.resize,
        layer=run.heat_layer,
    )


class Serving(tf.Module):
    """The functions of the exported graph over one set of weights: what every kind of run has.

    Args:
        model: keras.Model of the run.
        spec: ServingSpec.
        gate: gate.parts.Gate of the run, or None: the answers then say nothing about it.

    `forward` holds the network once; the signatures call it.
    """

    NAMES = ("serving_default", "serve_bytes", "embed")

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

    def _calibrated(self, logits):
        return tf.nn.softmax(self._spec.calibration.scores(tf.cast(logits, tf.float64)))

    def _answer(self, outputs):
        """What is said about images, from the outputs of the network."""
        logits = outputs[0]
        calibrated = self._calibrated(logits)
        if self._spec.threshold is None:
            index = tf.argmax(calibrated, axis=-1)
        else:
            index = tf.cast(calibrated[:, 1] >= self._spec.threshold, tf.int64)
        return {
            "probabilities": tf.cast(calibrated, tf.float32),
            "raw_probabilities": tf.nn.softmax(logits),
            "label": tf.gather(tf.constant(self._spec.classes), index),
        }


class ClassifierServing(Serving):
    """The exported graph of a classifier: with heatmaps."""

    NAMES = (*Serving.NAMES, "gradcam")

    def __init__(self, model, spec, gate=None):
        super().__init__(model, spec, gate)
        images = tf.TensorSpec((None, *spec.size, spec.channels), tf.float32, "images")
        content = tf.TensorSpec((None,), tf.string, "image_bytes")
        heat, targets_of = gradcam_graph(model, spec.layer), default_targets(len(spec.classes), spec.calibration)
        self.explain = tf.function(lambda images: heat(images, targets_of)[:2], input_signature=[images])
        self.gradcam = tf.function(self._gradcam, input_signature=[content])

    def _gradcam(self, image_bytes):
        maps, logits = self.explain(self._images(image_bytes))
        calibrated = tf.cast(self._calibrated(logits), tf.float32)
        return {"heatmap": upsample(maps, self._spec.size), "probabilities": calibrated}


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
