"""The exported graph of an ensemble, and what it is compared with."""

import tensorflow as tf

from medxray.classifier.serving import ClassifierServing, build_of, command_parity
from medxray.ensemble.run import UNCERTAINTY, network_with_passes
from medxray.ensemble.structure import member_maps
from medxray.export.parity import largest_difference


class EnsembleServing(ClassifierServing):
    """The exported graph of an ensemble: all members, views and passes; with passes it also says how unsure it is."""

    def _network(self, model):
        return network_with_passes(model)

    def _explained(self, model, method, options):
        def build(graph, layer):
            return build_of(method)(graph, layer if method.needs_layer else None, **options)

        return member_maps(model, self._spec.architecture.parts, build, fold=False)

    def _answer(self, outputs):
        return super()._answer(outputs) | (self._uncertainty(outputs[2]) if len(outputs) > 2 else {})

    def _uncertainty(self, passes):
        """`metrics.uncertainty.predictive_uncertainty` of the scores of passes (N,S,K), as tensors float32 (N,)."""
        classes = passes.shape[-1]
        scores = tf.reshape(self._scores(tf.reshape(passes, (-1, classes))), tf.shape(passes))
        log_probabilities = tf.nn.log_softmax(scores)
        weights = tf.constant(self._spec.architecture.pass_weights, tf.float64)
        mean = tf.reduce_logsumexp(log_probabilities + tf.math.log(weights)[:, None], axis=1)
        entropy = _entropy(mean)
        information = tf.maximum(entropy - tf.linalg.matvec(_entropy(log_probabilities), weights), 0.0)
        found = zip(UNCERTAINTY, (entropy, information), strict=True)
        return {name: tf.cast(values, tf.float32) for name, values in found}


def _entropy(log_probabilities):
    return -tf.reduce_sum(tf.exp(log_probabilities) * log_probabilities, axis=-1)


def parity(run, loaded, compared):
    """Largest differences of heatmaps and uncertainty of the exported graph from those of the run.

    Args:
        run: trained run.
        loaded: the SavedModel.
        compared: export.parity.Compared.

    Returns:
        dict: each explanation, named by its method, against that of the commands and, with passes, `entropy` and
        `mutual_information`.
    """
    found = {}
    for request in compared.explanations:
        found |= command_parity(run, loaded, compared, request)
    if run.architecture.passes:
        answer, table = loaded.signatures["serve_bytes"](compared.content), run.predict(compared.files)
        found |= {name: largest_difference(answer[name].numpy(), table[name].to_numpy()) for name in UNCERTAINTY}
    return found
