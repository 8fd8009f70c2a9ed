"""Preprocessing, backbone and head as one flat functional graph, and the parts it can be cut into."""

import zipfile

import keras
from keras import layers

from medxray.errors import ConfigError, RunError
from medxray.models.heads import attach_head
from medxray.models.names import INPUT, LOGITS, POOLED
from medxray.models.normalization import MOMENTUM
from medxray.models.preprocessing import preprocessing as preprocessing_named
from medxray.models.registry import architecture


def build_classifier(
    arch,
    *,
    image_size,
    channels,
    classes,
    units=256,
    dropout=0.5,
    l2=1e-4,
    seed=0,
    preprocessing=None,
    normalize=True,
):
    """Build an untrained classifier.

    Args:
        arch: name in the registry.
        image_size: height and width of the input in pixels.
        channels: 1 for grey (repeated to three inside the graph where the backbone needs it) or 3 for RGB.
        classes: number of classes.
        units: size of the head's hidden layer; 0 leaves it out.
        dropout: share of hidden units dropped in training, 0 to below 1.
        l2: weight of the L2 penalty on the head's kernels.
        seed: of dropout.
        preprocessing: a name in its table; None for that of the architecture.
        normalize: whether pooled features pass a batch normalisation before the head.

    Returns:
        keras.Model: float32 images (N,H,W,channels), 0-255 -> float32 probabilities (N,classes). Every layer is a
        built-in one and none is a model, so Grad-CAM tools and Keras safe mode work on it.

    Raises:
        ConfigError: unknown architecture, or an image size below its minimum.
    """
    row = architecture(arch)
    if image_size < row.minimum_size:
        raise ConfigError(f"--image-size for {arch} must be at least {row.minimum_size} pixels. Received {image_size}.")
    image = keras.Input((image_size, image_size, channels), name=INPUT)
    features = row.builder(_preprocessed(image, row, preprocessing or row.preprocessing))
    head = attach_head(features, classes, units=units, dropout=dropout, l2=l2, seed=seed, normalize=normalize)
    return keras.Model(image, head, name=arch)


def _preprocessed(image, row, name):
    grey = image.shape[-1] == 1
    tensor = layers.Concatenate(name="grey_to_rgb")([image] * 3) if grey and row.planes == 3 else image
    return preprocessing_named(name)(tensor, grey=grey)


def load_classifier(path):
    """Load a classifier of medxray in Keras safe mode.

    Raises:
        RunError: the file is missing, damaged, or holds another kind of model.
    """
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
        known = model.input_shape[1:], model.get_layer(POOLED), model.get_layer(LOGITS)
    except (ValueError, OSError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [""])[0][:160]
        raise RunError(f"{path} cannot be loaded ({reason}). Train the run again.") from error
    if len(known[0]) != 3:
        raise RunError(f"{path} takes inputs of shape {known[0]}, not images. Train the run again.")
    return model


def prefix(model, cuts):
    """The graph from the input to the layers named in `cuts`: images -> list of activations.

    It shares its layers with `model`.
    """
    return keras.Model(model.input, [model.get_layer(cut).output for cut in cuts], name="prefix")


def suffix(model, cut, end=LOGITS):
    """The graph from layer `cut` to layer `end`: activations (N,...) -> by default float32 logits (N,K).

    It shares its layers with `model`, so training it trains the model. `cut=None` starts at the input.
    """
    start = model.input if cut is None else model.get_layer(cut).output
    return keras.Model(start, model.get_layer(end).output, name="suffix")


def pooling(model, cut):
    """The graph from layer `cut` to the pooled features: activations (N,...) -> (N,c)."""
    return keras.Model(model.get_layer(cut).output, model.get_layer(POOLED).output, name="pooling")


def embedder(model):
    """The headless model: images (N,H,W,C), 0-255 -> pooled features (N,c). It shares its layers with `model`."""
    return keras.Model(model.input, model.get_layer(POOLED).output, name="embedder")


def freeze_before(model, cut, *, train_normalization, l2=0.0):
    """Make the layers behind `cut` trainable and all before it not.

    Args:
        model: a classifier.
        cut: name of the last frozen layer, or None to train everything.
        train_normalization: False keeps every BatchNormalization of the backbone frozen, that is in inference
            mode with its stored statistics, as is usual when a pretrained backbone is fine-tuned on little data.
        l2: L2 penalty put on the kernels of the layers that become trainable and have none yet. It is attached
            to the variables: on a built layer the attribute `kernel_regularizer` alone adds no loss.
    """
    names = [layer.name for layer in model.layers]
    frozen_until = -1 if cut is None else names.index(cut)
    head = names.index(POOLED)
    for position, layer in enumerate(model.layers):
        fixed = isinstance(layer, layers.BatchNormalization) and position < head and not train_normalization
        layer.trainable = position > frozen_until and not fixed
        if layer.trainable and l2 and isinstance(layer, (layers.Conv2D, layers.Dense)) and not layer.kernel.regularizer:
            layer.kernel_regularizer = layer.kernel.regularizer = keras.regularizers.L2(l2)


def quicken(model):
    """Give every BatchNormalization layer of a model with random weights the momentum MOMENTUM.

    The networks of keras.applications have .99 or .997, which is made for hundreds of thousands of steps.

    Args:
        model: keras.Model, flat.
    """
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = min(layer.momentum, MOMENTUM)
