"""The exported graph of a classifier, and what it is compared with."""

import functools

import tensorflow as tf

from medxray.explain.checks.settings import MANY_PASSES, setting_of
from medxray.explain.gradcam import gradcam_graph
from medxray.explain.keras_vis import gradcam
from medxray.explain.maps import default_targets, upsample
from medxray.explain.methods import GRADCAM, method_named
from medxray.export.parity import largest_difference
from medxray.export.serving import Serving
from medxray.models.inference import trunk


class ClassifierServing(Serving):
    """The exported graph of a classifier: a signature for each explanation gives heatmaps.

    Attributes:
        maps: dict method -> tf.function, float32 images (N,H,W,C), 0-255 -> (maps float32 (N,h,w), 0-1, at the
            resolution of the method; logits (N,K)).
        heatmaps: dict method -> the tf.function of its signature.
    """

    EXPLAINED = GRADCAM

    def __init__(self, model, spec, gate=None):
        super().__init__(model, spec, gate)
        layers = [method_named(request.method).needs_layer for request in spec.explanations]
        self.heat_layer = spec.architecture.heat_layer if any(layers) else None
        self.maps = {request.method: self._maps_of(model, request) for request in spec.explanations}
        content = tf.TensorSpec((None,), tf.string, "image_bytes")
        self.heatmaps = {
            name: tf.function(functools.partial(self._heatmap, maps), input_signature=[content])
            for name, maps in self.maps.items()
        }

    def signatures(self):
        """Signature name -> tf.function."""
        return super().signatures() | dict(self.heatmaps)

    def _maps_of(self, model, request):
        spec, method = self._spec, method_named(request.method)
        explain = self._explained(model, method, method.chosen_options(dict(request.options)))
        targets_of = default_targets(len(spec.classes), spec.calibration)
        images = tf.TensorSpec((None, *spec.size, spec.channels), tf.float32, "images")
        return tf.function(lambda images: explain(images, targets_of)[:2], input_signature=[images])

    def _explained(self, model, method, options):
        """What explains the model by a row of the table with all its options, as `explain.methods` describes it."""
        return build_of(method)(model, self._spec.architecture.heat_layer if method.needs_layer else None, **options)

    def _heatmap(self, maps, image_bytes):
        found, logits = maps(self._images(image_bytes))
        calibrated = tf.cast(self._calibrated(logits), tf.float32)
        return {"heatmap": upsample(found, self._spec.size), "probabilities": calibrated}


def build_of(method):
    """What builds a method for export: as for commands, but Grad-CAM, compared with tf-keras-vis, is not folded."""
    return functools.partial(gradcam_graph, fold=False) if method.name == GRADCAM else method.build


def parity(run, loaded, compared):
    """Largest differences between the heatmaps of the exported graph and those computed in another way.

    Args:
        run: trained run.
        loaded: the SavedModel.
        compared: export.parity.Compared.

    Returns:
        dict: of Grad-CAM, against tf-keras-vis, `gradcam_layer` at the resolution of the heat layer and `gradcam`
        upsampled to the input; of each other explanation, named by its method, against that of the commands.
    """
    found = {}
    for request in compared.explanations:
        compare = _gradcam_parity if request.method == GRADCAM else command_parity
        found |= compare(run, loaded, compared, request)
    return found


def _gradcam_parity(run, loaded, compared, request):
    logits = trunk(run.model)(compared.images, training=False)[0].numpy()
    targets = default_targets(len(run.classes), run.decision.calibration)(logits)
    maps = gradcam(run.model, compared.images.numpy(), targets, layer=run.architecture.heat_layer)
    heatmap = loaded.signatures[GRADCAM](compared.content)["heatmap"].numpy()
    return {
        "gradcam_layer": largest_difference(loaded.maps[GRADCAM](compared.images)[0].numpy(), maps),
        "gradcam": largest_difference(heatmap, upsample(maps, run.input_size).numpy()),
    }


def command_parity(run, loaded, compared, request):
    """Largest difference of an explanation from that of the commands, dict; of methods of many passes on one image.

    Args:
        run: trained run.
        loaded: the SavedModel.
        compared: export.parity.Compared.
        request: ExplainRequest.
    """
    options = method_named(request.method).chosen_options(dict(request.options))
    passes = setting_of(request.method).passes(options, run.input_size)
    some = slice(0, 1 if passes > MANY_PASSES else None)
    expected = upsample(run.explainer(request)(compared.images[some])[0], run.input_size)
    heatmap = loaded.signatures[request.method](compared.content[some])["heatmap"]
    return {request.method: largest_difference(heatmap.numpy(), expected.numpy())}
