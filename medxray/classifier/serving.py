"""The exported graph of a classifier, and what it is compared with."""

import tensorflow as tf

from medxray.explain.gradcam import gradcam_graph
from medxray.explain.keras_vis import gradcam
from medxray.explain.maps import default_targets, upsample
from medxray.export.parity import largest_difference
from medxray.export.serving import Serving
from medxray.models.inference import trunk


class ClassifierServing(Serving):
    """The exported graph of a classifier: the signature `gradcam` gives heatmaps."""

    NAMES = (*Serving.NAMES, "gradcam")

    def __init__(self, model, spec, gate=None):
        super().__init__(model, spec, gate)
        self.heat_layer = spec.architecture.heat_layer
        images = tf.TensorSpec((None, *spec.size, spec.channels), tf.float32, "images")
        content = tf.TensorSpec((None,), tf.string, "image_bytes")
        heat = gradcam_graph(model, self.heat_layer, fold=False)
        targets_of = default_targets(len(spec.classes), spec.calibration)
        self.explain = tf.function(lambda images: heat(images, targets_of)[:2], input_signature=[images])
        self.gradcam = tf.function(self._gradcam, input_signature=[content])

    def _gradcam(self, image_bytes):
        maps, logits = self.explain(self._images(image_bytes))
        calibrated = tf.cast(self._calibrated(logits), tf.float32)
        return {"heatmap": upsample(maps, self._spec.size), "probabilities": calibrated}


def parity(run, loaded, compared):
    """Largest differences between the heatmaps of the exported graph and those of tf-keras-vis.

    Args:
        run: trained run.
        loaded: the SavedModel.
        compared: export.parity.Compared.

    Returns:
        dict: `gradcam_layer` at the resolution of the heat layer, `gradcam` upsampled to the input.
    """
    logits = trunk(run.model)(compared.images, training=False)[0].numpy()
    targets = default_targets(len(run.classes), run.decision.calibration)(logits)
    maps = gradcam(run.model, compared.images.numpy(), targets, layer=run.architecture.heat_layer)
    heatmap = loaded.signatures["gradcam"](compared.content)["heatmap"].numpy()
    return {
        "gradcam_layer": largest_difference(loaded.explain(compared.images)[0].numpy(), maps),
        "gradcam": largest_difference(heatmap, upsample(maps, run.input_size).numpy()),
    }
