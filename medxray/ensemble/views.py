"""Views of an image inside a graph: the unchanged one, and turned, shifted, scaled and brighter or darker ones."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from medxray.data.affine import inverse_maps
from medxray.data.augment import FRAMING, POLICIES, draw_parameters, named_parameters

VIEWS = "views"  # the layer behind which the views of all images lie one after the other
POLICY = "light"


class DrawnViews(NamedTuple):
    """The views beside the unchanged one, v of them.

    Attributes:
        maps: float32 array (v,8), inverse maps as `data.affine.warp` takes them.
        gains: float32 array (v,), factors of the grey values.
    """

    maps: np.ndarray
    gains: np.ndarray


def drawn_views(size, count, seed):
    """Draw views, which are the same for every image.

    They have the ranges of the policy `light` in turning, shifting and scaling. Its contrast is a factor here, so that
    black bars stay black; other changes of grey values are left out.

    Args:
        size: (height, width) in pixels.
        count: number of views, the unchanged one among them.
        seed: int, at least 0.

    Returns:
        DrawnViews of `count` - 1 views.
    """
    rows = [draw_parameters(POLICIES[POLICY], [0], seed=seed, view=view) for view in range(1, count)]
    columns = named_parameters(np.concatenate(rows))
    framing = {name: tf.constant(columns[name]) for name in FRAMING}
    maps = inverse_maps(tf.constant([count - 1, *size, 1]), **framing)
    return DrawnViews(maps.numpy(), columns["contrast"])


def view_tensor(image, count, seed):
    """The views of images in a functional graph.

    Args:
        image: keras tensor (N,H,W,C), 0-255.
        count: as for `drawn_views`.
        seed: as for `drawn_views`.

    Returns:
        keras tensor (N * count,H,W,C), 0-255: the views of the first image, its unchanged one first, then those of the
        second, and so on. It is the output of the layer `views`.
    """
    shape = tuple(image.shape[1:])
    views = [image]
    for number, (map_, gain) in enumerate(zip(*drawn_views(shape[:2], count, seed), strict=True), 1):
        moved = ops.image.affine_transform(image, map_)
        brighter = layers.Rescaling(float(gain), name=f"view{number}_gain")(moved)
        views.append(layers.ReLU(max_value=255.0, name=f"view{number}")(brighter))
    return layers.Identity(name=VIEWS)(ops.reshape(ops.stack(views, axis=1), (-1, *shape)))


def mean_of_views(tensor, count):
    """Keras tensor (N * count,...) -> (N,...): the mean over the views of each image; itself where `count` is None."""
    if count is None:
        return tensor
    return ops.mean(ops.reshape(tensor, (-1, count, *tensor.shape[1:])), axis=1)


def of_unchanged(tensor, count, *, name):
    """Keras tensor (N * count,c) -> (N,c): that of the unchanged view; itself where `count` is None."""
    if count is None:
        return tensor
    each = ops.reshape(tensor, (-1, count, tensor.shape[-1]))
    return layers.Flatten(name=name)(keras.layers.Cropping1D((0, count - 1), name=f"{name}_view")(each))
