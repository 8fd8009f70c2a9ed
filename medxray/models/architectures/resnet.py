"""ResNet50 and ResNet101 as published, and with the stride on the 3x3 convolution (version 1.5)."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture

_EPSILON = 1.001e-5  # of the batch normalisations, as in keras.applications; torchvision has 1e-5
_PAPER = "He et al. (2016), Deep residual learning, arXiv:1512.03385"


def resnet50(tensor):
    """ResNet50's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,2048)."""
    import keras

    return keras.applications.ResNet50(include_top=False, weights=None, input_tensor=tensor).output


def resnet101(tensor):
    """ResNet101's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,2048)."""
    import keras

    return keras.applications.ResNet101(include_top=False, weights=None, input_tensor=tensor).output


def resnet50_v1_5(tensor):
    """The convolutions of ResNet50 version 1.5: (N,H,W,3) preprocessed -> (N,H/32,W/32,2048)."""
    return _version_1_5(tensor, (3, 4, 6, 3))


def resnet101_v1_5(tensor):
    """The convolutions of ResNet101 version 1.5: (N,H,W,3) preprocessed -> (N,H/32,W/32,2048)."""
    return _version_1_5(tensor, (3, 4, 23, 3))


def _version_1_5(tensor, blocks):
    """The graph of torchvision's ResNets, with the names of the layers that keras.applications gives its own.

    The first block of a stage halves height and width in its 3x3 convolution; version 1 does so in the 1x1 before it.
    Convolutions have no bias, and padding is the same on each side.
    """
    from keras import layers

    tensor = _convolution(tensor, 64, 7, "conv1", stride=2)
    tensor = layers.Activation("relu", name="conv1_relu")(tensor)
    tensor = layers.ZeroPadding2D(1, name="pool1_pad")(tensor)
    tensor = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(tensor)
    for stage, (count, filters) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), 2):
        for block in range(1, count + 1):
            stride = 2 if stage > 2 and block == 1 else 1
            tensor = _block(tensor, filters, stride, name=f"conv{stage}_block{block}")
    return tensor


def _block(tensor, filters, stride, *, name):
    """Convolutions 1x1, 3x3 with the stride, 1x1, added to the input, or to a 1x1 convolution of it."""
    from keras import layers

    grows = tensor.shape[-1] != 4 * filters
    shortcut = _convolution(tensor, 4 * filters, 1, f"{name}_0", stride=stride) if grows else tensor
    tensor = layers.Activation("relu", name=f"{name}_1_relu")(_convolution(tensor, filters, 1, f"{name}_1"))
    tensor = _convolution(tensor, filters, 3, f"{name}_2", stride=stride)
    tensor = layers.Activation("relu", name=f"{name}_2_relu")(tensor)
    tensor = _convolution(tensor, 4 * filters, 1, f"{name}_3")
    tensor = layers.Add(name=f"{name}_add")([shortcut, tensor])
    return layers.Activation("relu", name=f"{name}_out")(tensor)


def _convolution(tensor, filters, size, name, *, stride=1):
    """Padding of (size - 1) / 2 on each side, convolution without bias, batch normalisation."""
    from keras import layers

    padded = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(tensor) if size > 1 else tensor
    tensor = layers.Conv2D(filters, size, strides=stride, use_bias=False, name=f"{name}_conv")(padded)
    return layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(tensor)


def _row(name, builder, depth, *, preprocessing, pretrained=(), version=""):
    """A row; `depth` is the number of blocks in the fourth stage."""
    return Architecture(
        name=name,
        builder=builder,
        stages=("pool1_pool", "conv2_block3_out", "conv3_block4_out", f"conv4_block{depth}_out", "conv5_block3_out"),
        heat_layer="conv5_block3_out",
        preprocessing=preprocessing,
        paper=_PAPER + version,
        pretrained=pretrained,
    )


_V1_5 = "; the stride on the 3x3 convolution as in torchvision"

RESNET50 = _row(
    "resnet50",
    resnet50,
    6,
    preprocessing="caffe",
    pretrained=(imagenet("resnet50", folder="resnet", md5="4d473c1dd8becc155b73f8504c6f6626"),),
)

RESNET101 = _row(
    "resnet101",
    resnet101,
    23,
    preprocessing="caffe",
    pretrained=(imagenet("resnet101", folder="resnet", md5="88cf7a10940856eca736dc7b7e228a21"),),
)

RESNET50_V1_5 = _row("resnet50-v1.5", resnet50_v1_5, 6, preprocessing="torch", version=_V1_5)
RESNET101_V1_5 = _row("resnet101-v1.5", resnet101_v1_5, 23, preprocessing="torch", version=_V1_5)
