"""The table of architectures. Reading it imports no TensorFlow."""

from medxray.errors import ConfigError
from medxray.models.architectures.cnn import DEEP, SHALLOW
from medxray.models.architectures.densenet import DENSENET121
from medxray.models.architectures.efficientnet_lite import LITE0, LITE1, LITE2
from medxray.models.architectures.resnet import RESNET50
from medxray.models.architectures.row import Architecture
from medxray.models.architectures.vgg import VGG16, VGG19
from medxray.moved import names_of_old_module

ARCHITECTURES = {row.name: row for row in (VGG16, VGG19, RESNET50, DENSENET121, LITE0, LITE1, LITE2, SHALLOW, DEEP)}

__getattr__ = names_of_old_module(__name__)  # words of detectors stood here in version 0.1


def architecture(name) -> Architecture:
    """Look an architecture up.

    Raises:
        ConfigError: the name is not in the table.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(f"--arch must be one of {', '.join(ARCHITECTURES)}. Received '{name}'.")
    return ARCHITECTURES[name]
