"""EfficientNetV2-B0."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture


def efficientnetv2_b0(tensor):
    """EfficientNetV2-B0's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1280)."""
    import keras

    return keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_tensor=tensor, include_preprocessing=False
    ).output


EFFICIENTNETV2_B0 = Architecture(
    name="efficientnetv2-b0",
    builder=efficientnetv2_b0,
    stages=(
        "block1a_project_activation",
        "block2b_add",
        "block3b_add",
        "block4c_add",
        "block5e_add",
        "top_activation",
    ),
    heat_layer="top_activation",
    preprocessing="torch",
    paper="Tan and Le (2021), EfficientNetV2: Smaller models and faster training, arXiv:2104.00298",
    pretrained=(
        imagenet(
            "efficientnetv2-b0",
            folder="efficientnet_v2",
            md5="893217f2bb855e2983157299931e43ff",
            ending="_notop.h5",
        ),
    ),
)
