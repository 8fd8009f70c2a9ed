"""Momentum of batch normalisation where layers are trained from random weights."""

MOMENTUM = 0.9  # of the moving statistics; with the usual .99 they are unfinished after a few hundred steps


def quicken(model):
    """Give every BatchNormalization layer of a model with random weights the momentum MOMENTUM.

    The networks of keras.applications have .99 or .997, which is made for hundreds of thousands of steps.

    Args:
        model: keras.Model, flat.
    """
    from keras import layers

    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = min(layer.momentum, MOMENTUM)
