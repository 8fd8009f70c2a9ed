"""Small convolutional networks that are trained from scratch."""

from medxray.models.architectures.row import Architecture
from medxray.models.normalization import MOMENTUM


def _convolution(tensor, filters, name):
    """Convolution 3x3, batch normalisation, ReLU."""
    from keras import layers

    block, index = name
    tensor = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{block}_conv{index}")(tensor)
    tensor = layers.BatchNormalization(momentum=MOMENTUM, name=f"{block}_norm{index}")(tensor)
    return layers.ReLU(name=f"{block}_relu{index}")(tensor)


def shallow(tensor):
    """Three single-convolution blocks with 16, 32 and 64 filters: (N,H,W,c) -> (N,H/4,W/4,64)."""
    from keras import layers

    for block, filters in (("block1", 16), ("block2", 32)):
        tensor = _convolution(tensor, filters, (block, ""))
        tensor = layers.MaxPooling2D(name=f"{block}_pool")(tensor)
    return _convolution(tensor, 64, ("block3", ""))


def deep(tensor):
    """Five double-convolution blocks with 16 to 256 filters: (N,H,W,c) -> (N,H/16,W/16,256)."""
    from keras import layers

    for block, filters in (("block1", 16), ("block2", 32), ("block3", 64), ("block4", 128)):
        tensor = _convolution(tensor, filters, (block, 1))
        tensor = _convolution(tensor, filters, (block, 2))
        tensor = layers.MaxPooling2D(name=f"{block}_pool")(tensor)
    return _convolution(_convolution(tensor, 256, ("block5", 1)), 256, ("block5", 2))


SHALLOW = Architecture(
    name="shallow-cnn",
    builder=shallow,
    stages=("block1_pool", "block2_pool", "block3_relu"),
    heat_layer="block3_relu",
    preprocessing="unit",
    paper="three convolution blocks, as in introductory chest X-ray studies",
    planes=None,
    minimum_size=16,
)

DEEP = Architecture(
    name="deep-cnn",
    builder=deep,
    stages=("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_relu2"),
    heat_layer="block5_relu2",
    preprocessing="unit",
    paper="five blocks of two convolutions after Simonyan and Zisserman (2015), "
    "with batch normalisation (Ioffe and Szegedy 2015)",
    planes=None,
    minimum_size=16,
)
