"""Grad-CAM at the resolution of a layer: by tf-keras-vis, and as a compiled graph for exported models."""

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam

from medxray.explain.layers import require_heat_layer
from medxray.models import inference
from medxray.models.heads import LOGITS

BATCH = 4
_EPSILON = 1e-7  # of tf-keras-vis's normalisation: a constant map becomes 0, not NaN


def default_targets(classes, calibration):
    """The rule for the class that is explained when nobody names one.

    Args:
        classes: number of classes K.
        calibration: `metrics.calibration.Calibration` of the run.

    Returns:
        function, logits (N,K) -> int32 tensor (N,): with two classes the positive one (index 1), whatever the
        prediction; with more the predicted one, which has the highest calibrated probability.
    """
    if classes == 2:
        return lambda logits: tf.ones(tf.shape(logits)[:1], tf.int32)
    return lambda logits: tf.argmax(calibration.scores(tf.cast(logits, tf.float64)), axis=-1, output_type=tf.int32)


def gradcam(model, images, targets, *, layer):
    """Compute Grad-CAM heatmaps with tf-keras-vis.

    Args:
        model: a classifier with a layer `logits`; float16 and bfloat16 activations are allowed.
        images: uint8 or float32 (N,H,W,C), 0-255, of the model's input size.
        targets: int (N,), index of the class to explain in each image.
        layer: name of a layer of `layers.heat_layers(model)`.

    Returns:
        float32 array (N,h,w), 0-1, at the resolution of the layer: each map is scaled to its own range, a constant
        one is 0.

    Raises:
        ConfigError: the model has no such layer.
        ValueError: `targets` does not fit.

    Source: Selvaraju et al. (2017), eq. 1-2; deviations: the scaling to 0-1, as in tf-keras-vis.
    """
    height, width = require_heat_layer(model, layer)
    targets = np.asarray(targets, dtype=np.int32)
    classes = model.get_layer(LOGITS).output.shape[-1]
    if targets.shape != (len(images),) or not np.isin(targets, np.arange(classes)).all():
        raise ValueError(f"targets must be {len(images)} class indices from 0 to {classes - 1}. Received {targets}.")
    maps = np.zeros((len(images), height, width), np.float32)
    for start in range(0, len(images), BATCH):
        rows = slice(start, start + BATCH)
        maps[rows], _ = explain_batch(model, images[rows], lambda _, rows=rows: targets[rows], layer=layer)
    return maps


def explain_batch(model, images, targets_of, *, layer):
    """Explain one batch, with one forward and one backward pass of tf-keras-vis.

    Args:
        model: as for `gradcam`.
        images: as for `gradcam`.
        targets_of: function, logits (N,K) -> int (N,), the class to explain in each image.
        layer: as for `gradcam`.

    Returns:
        maps: float32 array (N,h,w), 0-1.
        logits: float32 array (N,K).

    Raises:
        ConfigError: the model has no such layer.
    """
    require_heat_layer(model, layer)
    seen = []

    def score(logits):
        seen.append(logits)
        return _scores(logits, targets_of)

    maps = Gradcam(inference.logits_model(model), clone=False)(
        score,
        tf.cast(images, tf.float32),
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        gradient_modifier=_as_float32,  # without it bfloat16 gradients stay bfloat16
        expand_cam=False,
    )
    return np.asarray(maps, np.float32), seen[0].numpy()


def gradcam_graph(model, layer):
    """Grad-CAM as TensorFlow operations, the gradient included: the equation of `gradcam`.

    Args:
        model: as for `gradcam`.
        layer: as for `gradcam`.

    Returns:
        function to call inside a tf.function: (images float32 tensor (N,H,W,C), targets_of as for `explain_batch`)
        -> (maps float32 (N,h,w), logits float32 (N,K)), from one forward pass.

    Raises:
        ConfigError: the model has no such layer.

    Source: Selvaraju et al. (2017), eq. 1-2; deviations: the scaling to 0-1, as in tf-keras-vis.
    """
    require_heat_layer(model, layer)
    joint = keras.Model(model.input, [model.get_layer(layer).output, model.get_layer(LOGITS).output])

    def explain(images, targets_of):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            activations, logits = joint(images, training=False)
            scores = _scores(logits, targets_of)
        gradients = _as_float32(tape.gradient(scores, activations))
        weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)  # eq. 1
        maps = tf.nn.relu(tf.reduce_sum(weights * _as_float32(activations), axis=-1))  # eq. 2
        return _scaled(maps), logits

    return explain


def compiled_gradcam(model, layer):
    """`gradcam_graph` as one compiled function for classes that the caller names.

    Returns:
        tf.function, (images float32 (N,H,W,C), targets int32 (N,)) -> maps float32 (N,h,w), 0-1.

    Raises:
        ConfigError: the model has no such layer.
    """
    explain = gradcam_graph(model, layer)
    images_spec = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32, "images")

    @tf.function(input_signature=[images_spec, tf.TensorSpec((None,), tf.int32, "targets")])
    def compiled(images, targets):
        return explain(images, lambda _: targets)[0]

    return compiled


def upsample(maps, size):
    """Bring heatmaps to the input's resolution: the one upsampling of the project.

    Args:
        maps: float32 (N,h,w), 0-1.
        size: (height, width) in pixels.

    Returns:
        float32 tensor (N,height,width), 0-1: bilinear with half-pixel centres, edges repeated.
    """
    return tf.image.resize(tf.convert_to_tensor(maps)[..., None], size, method="bilinear")[..., 0]


def _scores(logits, targets_of):
    return tf.gather(logits, targets_of(logits), axis=1, batch_dims=1)


def _as_float32(tensor):
    return tf.cast(tensor, tf.float32)


def _scaled(maps):
    """Each map to 0-1.

    The range is taken after the shift: `high - low + epsilon` would be regrouped by TensorFlow's
    graph optimiser, which loses epsilon and makes a constant map NaN.
    """
    shifted = maps - tf.reduce_min(maps, axis=(1, 2), keepdims=True)
    return shifted / (tf.reduce_max(shifted, axis=(1, 2), keepdims=True) + _EPSILON)
