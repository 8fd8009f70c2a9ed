"""ResNet50."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture


def resnet50(tensor):
    """ResNet50's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,2048)."""
    import keras

    return keras.applications.ResNet50(include_top=False, weights=None, input_tensor=tensor).output


RESNET50 = Architecture(
    name="resnet50",
    builder=resnet50,
    stages=("pool1_pool", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"),
    heat_layer="conv5_block3_out",
    preprocessing="caffe",
    paper="He et al. (2016), Deep residual learning, arXiv:1512.03385",
    pretrained=(imagenet("resnet50", folder="resnet", md5="4d473c1dd8becc155b73f8504c6f6626"),),
)
