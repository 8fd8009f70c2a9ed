"""Which layers a heatmap can be taken from."""

import difflib

import keras

from medxray.errors import ConfigError


def heat_layers(model):
    """The layers that Grad-CAM can use: from the first convolution on, those with an output (N,h,w,c).

    What lies before the first convolution is the image itself, scaled and padded.

    Args:
        model: a classifier as `models.classifier.build_classifier` makes it.

    Returns:
        list of (name, h, w) from the input to the output; h and w in cells.
    """
    first = next((i for i, layer in enumerate(model.layers) if isinstance(layer, keras.layers.Conv2D)), 0)
    outputs = [(layer.name, layer.output.shape) for layer in model.layers[first:]]
    return [(name, int(shape[1]), int(shape[2])) for name, shape in outputs if len(shape) == 4]


def require_heat_layer(model, name):
    """Check that `name` is one of `heat_layers(model)`.

    Returns:
        (h, w) of the layer in cells.

    Raises:
        ConfigError: it is not; the message names layers that are spelt alike.
    """
    sizes = {known: (height, width) for known, height, width in heat_layers(model)}
    if name in sizes:
        return sizes[name]
    alike = difflib.get_close_matches(str(name), sizes, n=3, cutoff=0.5)
    exists = any(layer.name == name for layer in model.layers)
    problem = "has no spatial detail that a heatmap could show" if exists else "does not exist"
    hint = f"Layers spelt alike: {', '.join(alike)}. " if alike else ""
    raise ConfigError(f"Layer '{name}' {problem} in {model.name}. {hint}`medxray gradcam --layer list` shows all.")
