"""MobileNetV3-Large."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture

# Table 1 of the paper, from its second row to its last block: kernel, expanded channels, channels, squeeze and excite,
# activation, stride.
_BLOCKS = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_swish", 2),
    (3, 200, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 480, 112, True, "hard_swish", 1),
    (3, 672, 112, True, "hard_swish", 1),
    (5, 672, 160, True, "hard_swish", 2),
    (5, 960, 160, True, "hard_swish", 1),
    (5, 960, 160, True, "hard_swish", 1),
)


def mobilenetv3_large(tensor):
    """MobileNetV3-Large's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,960).

    Layers with weights are named as in keras.applications, which leaves 41 others to a counter. The dense layer of
    1,280 units between pooling and classes is not part of it.
    """
    tensor = _convolution(tensor, 16, 3, "conv", "hard_swish", stride=2)
    for number, block in enumerate(_BLOCKS):
        tensor = _block(tensor, block, f"expanded_conv_{number}_" if number else "expanded_conv_")
    return _convolution(tensor, 960, 1, "conv_1", "hard_swish")


def _block(tensor, block, prefix):
    """Inverted residual: expansion 1x1 (but in the first block), depthwise convolution, attention, projection 1x1."""
    from keras import layers

    size, expanded, filters, attends, activation, stride = block
    inner = tensor
    if expanded != tensor.shape[-1]:
        inner = _convolution(inner, expanded, 1, f"{prefix}expand", activation)
    inner = layers.DepthwiseConv2D(size, strides=stride, padding="same", use_bias=False, name=f"{prefix}depthwise")(
        inner
    )
    inner = _normalised(inner, f"{prefix}depthwise", activation)
    inner = _attended(inner, prefix) if attends else inner
    inner = _convolution(inner, filters, 1, f"{prefix}project")
    added = stride == 1 and filters == tensor.shape[-1]
    return layers.Add(name=f"{prefix}add")([tensor, inner]) if added else inner


def _attended(tensor, prefix):
    """Weigh each channel by squeeze and excite, with a quarter of the channels between."""
    from keras import layers

    channels = tensor.shape[-1]
    name = f"{prefix}squeeze_excite"
    weight = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(tensor)
    weight = layers.Conv2D(_eighths(channels / 4), 1, activation="relu", name=f"{name}_conv")(weight)
    weight = layers.Conv2D(channels, 1, activation="hard_sigmoid", name=f"{name}_conv_1")(weight)
    return layers.Multiply(name=f"{name}_mul")([tensor, weight])


def _eighths(channels):
    """The nearest multiple of 8, but the one above where more than a tenth would be lost."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _convolution(tensor, filters, size, name, activation=None, *, stride=1):
    from keras import layers

    tensor = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, name=name)(tensor)
    return _normalised(tensor, name, activation)


def _normalised(tensor, name, activation):
    from keras import layers

    tensor = layers.BatchNormalization(epsilon=1e-3, momentum=0.999, name=f"{name}_bn")(tensor)
    return layers.Activation(activation, name=f"{name}_{activation}")(tensor) if activation else tensor


MOBILENETV3_LARGE = Architecture(
    name="mobilenetv3-large",
    builder=mobilenetv3_large,
    stages=(
        "expanded_conv_add",
        "expanded_conv_2_add",
        "expanded_conv_5_add",
        "expanded_conv_9_add",
        "expanded_conv_11_add",
        "conv_1_hard_swish",
    ),
    heat_layer="conv_1_hard_swish",
    preprocessing="unit",
    paper="Howard et al. (2019), Searching for MobileNetV3, arXiv:1905.02244",
    pretrained=(
        imagenet(
            "weights_mobilenet_v3_large_224_1.0_float",
            folder="mobilenet_v3",
            md5="07fb09a5933dd0c8eaafa16978110389",
            ending="_no_top_v2.h5",
        ),
    ),
)
