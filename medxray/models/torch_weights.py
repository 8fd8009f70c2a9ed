"""Puts tensors of PyTorch into the layers of a Keras backbone. It imports no TensorFlow."""

import numpy as np

from medxray.models.tensor_files.read import read_tensors

_CONVOLUTION = ("weight", "bias")
_NORM = ("weight", "bias", "running_mean", "running_var")
_COUNTER = "num_batches_tracked"  # of batch normalisation; inference does without


def put_tensors(backbone, path, names, *, left):
    """Fill every layer of a backbone with the tensors of a file, or none where one does not fit.

    Args:
        backbone: keras.Model, flat.
        path: file that `read_tensors` reads.
        names: dict layer -> its module in the file.
        left: beginnings of the names of tensors that the backbone has no place for: those of the old head.

    Raises:
        WeightsError: the file cannot be read.
        ValueError: a tensor is missing, has another shape, numbers that are not finite, or no place; the message names
            the first one in the order of the network.
    """
    fill(backbone, read_tensors(path), names, left=left)


def fill(backbone, tensors, names, *, left):
    """As `put_tensors`, with the tensors as a dict name -> array."""
    values = {layer: _values(layer, names[layer.name], tensors) for layer in backbone.layers if layer.weights}
    known = {f"{names[layer.name]}.{part}" for layer in values for part in (*_parts(layer), _COUNTER)}
    for name in tensors:
        if name not in known and not name.startswith(left):
            raise ValueError(f"it holds the tensor {ascii(name)[1:-1]}, which the network does not have")
    for layer, arrays in values.items():
        layer.set_weights(arrays)


def _parts(layer):
    return _NORM if hasattr(layer, "moving_variance") else _CONVOLUTION


def _values(layer, module, tensors):
    """The weights of a layer in the order of Keras, float32."""
    wanted = [tuple(weight.shape) for weight in layer.weights]
    arrays = [tensors[name] for part in _parts(layer) if (name := f"{module}.{part}") in tensors]
    if arrays and arrays[0].ndim == 4:
        arrays[0] = _kernel(arrays[0], depthwise=hasattr(layer, "depth_multiplier"))
    found = [array.shape for array in arrays]
    if found != wanted:
        raise ValueError(f"layer {layer.name} ({module}) has {_shapes(found)} instead of {_shapes(wanted)}")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(f"layer {layer.name} ({module}) has numbers that are not finite")
    return [np.asarray(array, np.float32) for array in arrays]


def _kernel(kernel, *, depthwise):
    """A kernel in the order of Keras: (out,in,h,w) -> (h,w,in,out), of depthwise ones (c,1,h,w) -> (h,w,c,1)."""
    return kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))


def _shapes(shapes):
    """Shapes as text: "3x3x3x32, 32"; "nothing" where there are none."""
    return ", ".join("x".join(map(str, shape)) or "one number" for shape in shapes) or "nothing"
