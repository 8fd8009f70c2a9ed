"""The table of preprocessings: what stands between pixels 0-255 and the first layer of a backbone.

Reading the table imports no TensorFlow: the functions import Keras when they are called.
"""

from medxray.errors import ConfigError
from medxray.models.names import PREPROCESSED

_CAFFE_BGR_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN, _TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def caffe(tensor, *, grey):
    """Colours in the order blue, green, red, minus the mean of ImageNet: about -124 to 151 for each colour.

    Args:
        tensor: keras tensor (N,H,W,3), red, green, blue, 0-255.
        grey: True where the three planes are equal, so that their order does not matter.
    """
    from keras import layers, ops

    ordered = tensor if grey else ops.flip(tensor, axis=-1)
    return layers.Rescaling(1.0, [-mean for mean in _CAFFE_BGR_MEAN], name=PREPROCESSED)(ordered)


def torch(tensor, *, grey):
    """0-1, minus the mean of ImageNet, divided by its deviation: about -2.1 to 2.6; arguments as for `caffe`."""
    from keras import layers

    scale = [1 / (255 * deviation) for deviation in _TORCH_STD]
    offset = [-mean / deviation for mean, deviation in zip(_TORCH_MEAN, _TORCH_STD, strict=True)]
    return layers.Rescaling(scale, offset, name=PREPROCESSED)(tensor)


def unit(tensor, *, grey):
    """-1 to 1, for any number of planes; arguments as for `caffe`."""
    from keras import layers

    return layers.Rescaling(1 / 127.5, -1.0, name=PREPROCESSED)(tensor)


def lite(tensor, *, grey):
    """(x - 127) / 128 as EfficientNet-Lite has it: -0.992 to 1, for any number of planes; arguments as for `caffe`."""
    from keras import layers

    return layers.Rescaling(1 / 128, -127 / 128, name=PREPROCESSED)(tensor)


PREPROCESSINGS = {"caffe": caffe, "torch": torch, "unit": unit, "lite": lite}


def preprocessing(name):
    """Look a preprocessing up.

    Returns:
        function (keras tensor (N,H,W,planes) 0-255, grey=bool) -> keras tensor of the same shape. Its last layer is
        called `preprocess`.

    Raises:
        ConfigError: the name is not in the table.
    """
    if name not in PREPROCESSINGS:
        raise ConfigError(f"The preprocessing must be one of {', '.join(PREPROCESSINGS)}. Received '{name}'.")
    return PREPROCESSINGS[name]
