"""The table of architectures. Pure data: importing it costs nothing."""

from dataclasses import dataclass

from medxray.errors import ConfigError

AUTOENCODER_LOSSES = ("mse", "ssim", "mix")
IMAGE_SCORES = ("mean", "max")  # of an anomaly map
PATCH_SCALES = ("none", "unit")
AUTOENCODER_MINIMUM = 32  # smallest height and width in pixels


@dataclass(frozen=True)
class Architecture:
    """One entry of the table.

    Attributes:
        name: what users type after `--arch`.
        builder: "module:function" that inlines the backbone: (keras tensor (N,H,W,3 or 1)) -> features (N,h,w,c).
        stages: names of the layers that end each block, from the input to the last one. The backbone is cut there:
            `extract` freezes all blocks, `finetune` all but the last.
        heat_layer: default layer of Grad-CAM, the last one with spatial detail.
        planes: 3 when the backbone expects three channels (grey is then repeated), 1 when it takes what comes.
        preprocessing: "caffe" (BGR, mean subtracted), "torch" (0-1, ImageNet mean and deviation) or "unit" (-1 to 1).
        minimum_size: smallest height and width in pixels.
        pretrained: which pretrained weights exist: "imagenet", "hed".
        source: paper of the architecture.
    """

    name: str
    builder: str
    stages: tuple[str, ...]
    heat_layer: str
    planes: int
    preprocessing: str
    minimum_size: int
    pretrained: tuple[str, ...]
    source: str

    @property
    def default_mode(self):
        """`finetune` where pretrained weights exist, else `scratch`."""
        return "finetune" if self.pretrained else "scratch"


_VGG_STAGES = ("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_pool")
_VGG_SOURCE = "Simonyan and Zisserman (2015), Very deep convolutional networks, arXiv:1409.1556"
_OWN = "medxray.models.cnn"
_APPS = "medxray.models.keras_apps"

ARCHITECTURES = {
    entry.name: entry
    for entry in (
        Architecture(
            name="vgg16",
            builder=f"{_APPS}:vgg16",
            stages=_VGG_STAGES,
            heat_layer="block5_conv3",
            planes=3,
            preprocessing="caffe",
            minimum_size=32,
            pretrained=("imagenet", "hed"),
            source=_VGG_SOURCE,
        ),
        Architecture(
            name="vgg19",
            builder=f"{_APPS}:vgg19",
            stages=_VGG_STAGES,
            heat_layer="block5_conv4",
            planes=3,
            preprocessing="caffe",
            minimum_size=32,
            pretrained=("imagenet",),
            source=_VGG_SOURCE,
        ),
        Architecture(
            name="resnet50",
            builder=f"{_APPS}:resnet50",
            stages=("pool1_pool", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"),
            heat_layer="conv5_block3_out",
            planes=3,
            preprocessing="caffe",
            minimum_size=32,
            pretrained=("imagenet",),
            source="He et al. (2016), Deep residual learning, arXiv:1512.03385",
        ),
        Architecture(
            name="densenet121",
            builder=f"{_APPS}:densenet121",
            stages=("pool1", "pool2_pool", "pool3_pool", "pool4_pool", "relu"),
            heat_layer="relu",
            planes=3,
            preprocessing="torch",
            minimum_size=32,
            pretrained=("imagenet",),
            source="Huang et al. (2017), Densely connected convolutional networks, arXiv:1608.06993",
        ),
        Architecture(
            name="shallow-cnn",
            builder=f"{_OWN}:shallow",
            stages=("block1_pool", "block2_pool", "block3_relu"),
            heat_layer="block3_relu",
            planes=1,
            preprocessing="unit",
            minimum_size=32,
            pretrained=(),
            source="three convolution blocks, as in introductory chest X-ray studies",
        ),
        Architecture(
            name="deep-cnn",
            builder=f"{_OWN}:deep",
            stages=("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_relu2"),
            heat_layer="block5_relu2",
            planes=1,
            preprocessing="unit",
            minimum_size=32,
            pretrained=(),
            source="five blocks of two convolutions after Simonyan and Zisserman (2015), "
            "with batch normalisation (Ioffe and Szegedy 2015)",
        ),
    )
}


def architecture(name):
    """Look an architecture up.

    Raises:
        ConfigError: the name is not in the table.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(f"--arch must be one of {', '.join(ARCHITECTURES)}. Received '{name}'.")
    return ARCHITECTURES[name]
