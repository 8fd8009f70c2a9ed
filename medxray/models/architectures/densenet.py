"""DenseNet121, 161, 169 and 201."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture

_EPSILON = 1.001e-5  # of the batch normalisations, as in keras.applications; torchvision has 1e-5
_STAGES = ("pool1", "pool2_pool", "pool3_pool", "pool4_pool", "relu")
_PAPER = "Huang et al. (2017), Densely connected convolutional networks, arXiv:1608.06993"


def densenet121(tensor):
    """DenseNet121's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1024)."""
    return _densenet(tensor, (6, 12, 24, 16))


def densenet161(tensor):
    """DenseNet161's convolutions, growth 48 and 96 filters at first: (N,H,W,3) preprocessed -> (N,H/32,W/32,2208)."""
    return _densenet(tensor, (6, 12, 36, 24), growth=48, filters=96)


def densenet169(tensor):
    """DenseNet169's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1664)."""
    return _densenet(tensor, (6, 12, 32, 32))


def densenet201(tensor):
    """DenseNet201's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1920)."""
    return _densenet(tensor, (6, 12, 48, 32))


def _densenet(tensor, blocks, *, growth=32, filters=64):
    """The graph of keras.applications, with names for its two paddings and other growths than 32.

    Dense layers are `conv<block>_block<layer>_...` with block 2 to 5, transitions `pool<block>_...`.
    """
    tensor = _stem(tensor, filters)
    for block, count in enumerate(blocks, 2):
        tensor = _transition(tensor, f"pool{block - 1}") if block > 2 else tensor
        for layer in range(1, count + 1):
            tensor = _dense_layer(tensor, growth, f"conv{block}_block{layer}")
    return _normalised(tensor, "bn", "relu")


def _stem(tensor, filters):
    """Convolution 7x7 and maximum 3x3, each with stride 2."""
    from keras import layers

    tensor = layers.ZeroPadding2D(3, name="conv1_pad")(tensor)
    tensor = layers.Conv2D(filters, 7, strides=2, use_bias=False, name="conv1_conv")(tensor)
    tensor = _normalised(tensor, "conv1_bn", "conv1_relu")
    tensor = layers.ZeroPadding2D(1, name="pool1_pad")(tensor)
    return layers.MaxPooling2D(3, strides=2, name="pool1")(tensor)


def _dense_layer(tensor, growth, name):
    """Put `growth` new channels, from a bottleneck of four times as many, behind those that came."""
    from keras import layers

    new = _normalised(tensor, f"{name}_0_bn", f"{name}_0_relu")
    new = layers.Conv2D(4 * growth, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _normalised(new, f"{name}_1_bn", f"{name}_1_relu")
    new = layers.Conv2D(growth, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(name=f"{name}_concat")([tensor, new])


def _transition(tensor, name):
    """Half the channels and half the height and width; its block has the number of the dense block before it."""
    from keras import layers

    tensor = _normalised(tensor, f"{name}_bn", f"{name}_relu")
    tensor = layers.Conv2D(tensor.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(tensor)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(tensor)


def _normalised(tensor, norm, relu):
    from keras import layers

    return layers.Activation("relu", name=relu)(layers.BatchNormalization(epsilon=_EPSILON, name=norm)(tensor))


def _row(builder, *pretrained):
    return Architecture(
        name=builder.__name__,
        builder=builder,
        stages=_STAGES,
        heat_layer="relu",
        preprocessing="torch",
        paper=_PAPER,
        pretrained=pretrained,
    )


DENSENET121 = _row(densenet121, imagenet("densenet121", folder="densenet", md5="30ee3e1110167f948a6b9946edeeb738"))
DENSENET161 = _row(densenet161)  # keras.applications has none
DENSENET169 = _row(densenet169, imagenet("densenet169", folder="densenet", md5="b8c4d4c20dd625c148057b9ff1c1176b"))
DENSENET201 = _row(densenet201, imagenet("densenet201", folder="densenet", md5="c13680b51ded0fb44dff2d8f86ac8bb1"))
