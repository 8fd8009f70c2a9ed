"""Patch features: activations of some layers of a backbone -> one vector per position of the finest of them."""

import math

from keras import layers

PATCHES = "patches"
PATCH = 3  # side of the neighbourhood that is averaged, in positions


def patch_features(tensors, *, scale="none"):
    """Describe every position by the activations around it at several depths.

    Each tensor is averaged over 3x3 positions at stride 1; at the border over the positions that exist, so a constant
    stays constant. The coarser ones are brought to the grid of the first by bilinear interpolation, and all are put
    together along the channels.

    Source: Roth et al. (2021), Towards total recall in industrial anomaly detection, arXiv:2106.08265, section 3.1
    (p = 3, two layers of middle depth). Deviation: the channels of each layer are kept as they are and not pooled to a
    common number.

    Args:
        tensors: keras tensors (N,h,w,c), finest first; any number of at least one.
        scale: "none", or "unit" to bring the vector of each layer and position to root mean square 1, so that the
            strength of an activation, which follows the contrast of the image, does not count.

    Returns:
        float32 keras tensor (N,h,w,d) on the grid of the first tensor; d is the sum of their channels.
    """
    grid = tensors[0].shape[1:3]
    parts = []
    for index, tensor in enumerate(tensors):
        tensor = layers.AveragePooling2D(PATCH, 1, "same", dtype="float32", name=f"patch_mean_{index}")(tensor)
        if scale == "unit":
            length = layers.UnitNormalization(axis=-1, dtype="float32", name=f"patch_unit_{index}")(tensor)
            tensor = layers.Rescaling(math.sqrt(tensor.shape[-1]), dtype="float32", name=f"patch_scale_{index}")(length)
        if tensor.shape[1:3] != grid:
            resize = layers.Resizing(*grid, interpolation="bilinear", dtype="float32", name=f"patch_grid_{index}")
            tensor = resize(tensor)
        parts.append(tensor)
    together = parts[0] if len(parts) == 1 else layers.Concatenate(dtype="float32", name="patch_channels")(parts)
    return layers.Identity(dtype="float32", name=PATCHES)(together)
