"""The graph of an ensemble: its members side by side behind one input, flat, of built-in layers alone."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from medxray.ensemble.views import mean_of_views, of_unchanged, view_tensor
from medxray.errors import ConfigError
from medxray.models.inference import trunk
from medxray.models.names import INPUT, LOGITS, POOLED, PROBABILITIES

DROPOUT, PASSES = "dropout", "passes"
_FLOAT = {"dtype": "float32"}


def prefix_of(number):
    """What the names of the layers of a member begin with; members are counted from 1."""
    return f"m{number}_"


@dataclass(frozen=True, eq=False)
class Assembly:
    """Members behind one input, before they have weights.

    Attributes:
        image: keras tensor (N,H,W,C), 0-255, the input.
        scores: list of keras tensors (N,K): calibrated scores of each member, the mean over views and passes.
        pooled: list of keras tensors (N,c): pooled features of each member, of the unchanged view.
        passes: list of keras tensors (N,T,K): calibrated scores of the dropout passes of each member, the mean over
            views; empty without passes.
    """

    image: keras.KerasTensor
    scores: list
    pooled: list
    passes: list

    def outputs(self):
        """The graph from images to the scores of all members and then their pooled features."""
        return keras.Model(self.image, [*self.scores, *self.pooled])

    def finished(self, weights, lengths):
        """The ensemble.

        Args:
            weights: one number for each member; they sum to 1.
            lengths: one number for each member, which its pooled features are divided by.

        Returns:
            keras.Model: float32 images (N,H,W,C), 0-255 -> [probabilities (N,K), not calibrated; pooled features
            (N,c), those of the members one after the other; with passes their scores (N,M*T,K)]. `logits` (N,K) is
            the weighted mean of the calibrated scores of the members.
        """
        weighted = [
            layers.Rescaling(float(weight), name=f"{prefix_of(number)}weighted", **_FLOAT)(score)
            for number, (weight, score) in enumerate(zip(weights, self.scores, strict=True), 1)
        ]
        scaled = [
            layers.Rescaling(1 / float(length), name=f"{prefix_of(number)}scaled")(pooled)
            for number, (length, pooled) in enumerate(zip(lengths, self.pooled, strict=True), 1)
        ]
        logits = layers.Add(name=LOGITS, **_FLOAT)(weighted) if len(weighted) > 1 else _named(LOGITS, weighted[0])
        probabilities = layers.Softmax(name=PROBABILITIES, **_FLOAT)(logits)
        outputs = [probabilities, _joined(POOLED, scaled, axis=-1)]
        if self.passes:
            outputs.append(_joined(PASSES, self.passes, axis=1))
        return keras.Model(self.image, outputs, name="ensemble")


def assemble(models, calibrations, *, views=None, passes=None, seed=0):
    """Put classifiers side by side behind one input.

    Their layers are copied with their weights; the names begin with `m1_`, `m2_`...

    Args:
        models: list of keras.Model of one input shape, classifiers.
        calibrations: list of metrics.calibration.Calibration, theirs.
        views: number of views of each image, or None; see `views.view_tensor`.
        passes: number T of dropout passes, or None. Each has a mask of its own, drawn once, for all images: what is
            drawn is a function. Only the dropout of the head takes part.
        seed: of views and masks.

    Returns:
        Assembly.

    Raises:
        ConfigError: passes are wanted of a classifier without dropout.

    Source: Gal and Ghahramani (2016), Dropout as a Bayesian approximation, eq. 6, for the passes; deviations: the
    dropout of the head alone, masks that are the same for all images, log-odds averaged instead of probabilities.
    """
    image = keras.Input(models[0].input_shape[1:], name=INPUT)
    seen = image if views is None else view_tensor(image, views, seed)
    scores, features, found = [], [], []
    for number, (model, calibration) in enumerate(zip(models, calibrations, strict=True), 1):
        prefix = prefix_of(number)
        masks = None if passes is None else dropout_masks(model, passes, seed=(seed, number))
        outputs = _copied(trunk(model), seen, prefix, masks)
        logits = outputs[LOGITS].output
        if passes is not None:
            found.append(_calibrated(mean_of_views(logits, views), calibration, f"{prefix}pass_scores"))
            logits = layers.GlobalAveragePooling1D(name=f"{prefix}{LOGITS}")(logits)
        scores.append(_calibrated(mean_of_views(logits, views), calibration, f"{prefix}calibrated"))
        features.append(of_unchanged(outputs[POOLED].output, views, name=f"{prefix}features"))
    return Assembly(image, scores, features, found)


def dropout_masks(model, passes, *, seed):
    """What the units before the dropout of a classifier's head are multiplied with in each pass.

    Args:
        model: classifier.
        passes: number of passes T.
        seed: tuple of ints.

    Returns:
        float64 array (T,u): 0, or 1 / (1 - rate).

    Raises:
        ConfigError: the classifier drops nothing.
    """
    layer = model.get_layer(DROPOUT)
    if not layer.rate:
        raise ConfigError(f"--mc needs runs with dropout. {model.name} was trained with --dropout 0: leave --mc out.")
    kept = np.random.default_rng(seed).random((passes, layer.output.shape[-1])) >= layer.rate
    return kept / (1 - layer.rate)


def _copied(network, seen, prefix, masks):
    """Copy the layers of a graph behind a tensor, with their weights: dict name -> copy."""
    names = {LOGITS: f"{prefix}{PASSES}"} if masks is not None else {}
    copies = {}

    def copy(layer):
        config = layer.get_config() | {"name": names.get(layer.name, prefix + layer.name)}
        copies[layer.name] = layer.__class__.from_config(config)
        return copies[layer.name]

    def call(layer, *inputs, **options):
        if masks is not None and layer is copies.get(DROPOUT):
            return _masked(inputs[0], masks, prefix)
        return layer(*inputs, **options)

    keras.models.clone_model(network, input_tensors=seen, clone_function=copy, call_function=call)
    for layer in network.layers:
        if layer.weights:
            copies[layer.name].set_weights(layer.get_weights())
    return copies


def _masked(units, masks, prefix):
    """Keras tensor (n,u) -> (n,T,u), times the masks (T,u)."""
    repeated = layers.RepeatVector(len(masks), name=f"{prefix}repeated")(units)
    return layers.Rescaling(masks.tolist(), name=f"{prefix}masks")(repeated)


def _calibrated(logits, calibration, name):
    """Logits (...,K) -> logits / temperature + bias."""
    bias = list(calibration.biases(logits.shape[-1]))
    return layers.Rescaling(1 / calibration.temperature, bias, name=name, **_FLOAT)(logits)


def _joined(name, tensors, *, axis):
    return layers.Concatenate(axis=axis, name=name)(tensors) if len(tensors) > 1 else _named(name, tensors[0])


def _named(name, tensor):
    return layers.Identity(name=name)(tensor)
