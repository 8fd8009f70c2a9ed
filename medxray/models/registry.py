"""The table of architectures. Reading it imports no TensorFlow."""

from medxray.errors import ConfigError
from medxray.models.architectures.alexnet import ALEXNET
from medxray.models.architectures.cnn import DEEP, SHALLOW
from medxray.models.architectures.densenet import DENSENET121, DENSENET161, DENSENET169, DENSENET201
from medxray.models.architectures.efficientnet_lite import LITE0, LITE1, LITE2
from medxray.models.architectures.efficientnetv2 import EFFICIENTNETV2_B0
from medxray.models.architectures.mobilenet import MOBILENETV3_LARGE
from medxray.models.architectures.resnet import RESNET50, RESNET50_V1_5, RESNET101, RESNET101_V1_5
from medxray.models.architectures.row import Architecture
from medxray.models.architectures.vgg import VGG16, VGG19
from medxray.moved import names_of_old_module
from medxray.system.spelling import did_you_mean

_ROWS = (
    *(VGG16, VGG19, ALEXNET),
    *(RESNET50, RESNET101, RESNET50_V1_5, RESNET101_V1_5),
    *(DENSENET121, DENSENET161, DENSENET169, DENSENET201),
    *(LITE0, LITE1, LITE2, MOBILENETV3_LARGE, EFFICIENTNETV2_B0),
    *(SHALLOW, DEEP),
)
ARCHITECTURES = {row.name: row for row in _ROWS}

__getattr__ = names_of_old_module(__name__)  # words of detectors stood here in version 0.1


def architecture(name) -> Architecture:
    """Look an architecture up.

    Raises:
        ConfigError: the name is not in the table.
    """
    if name not in ARCHITECTURES:
        near = did_you_mean(name, ARCHITECTURES)
        raise ConfigError(f"--arch must be one of {', '.join(ARCHITECTURES)}. Received '{name}'.{near}")
    return ARCHITECTURES[name]
