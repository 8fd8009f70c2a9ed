"""DenseNet121."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture


def densenet121(tensor):
    """DenseNet121's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1024)."""
    import keras

    return keras.applications.DenseNet121(include_top=False, weights=None, input_tensor=tensor).output


DENSENET121 = Architecture(
    name="densenet121",
    builder=densenet121,
    stages=("pool1", "pool2_pool", "pool3_pool", "pool4_pool", "relu"),
    heat_layer="relu",
    preprocessing="torch",
    paper="Huang et al. (2017), Densely connected convolutional networks, arXiv:1608.06993",
    pretrained=(imagenet("densenet121", folder="densenet", md5="30ee3e1110167f948a6b9946edeeb738"),),
)
