"""The weights without top that keras.applications downloads. No TensorFlow."""

from medxray.models.architectures.row import Pretrained

_ROOT = "https://storage.googleapis.com/tensorflow/keras-applications"


def imagenet(name, *, folder, md5):
    """ImageNet weights of an architecture of keras.applications.

    Args:
        name: its name in the file.
        folder: the folder of its family.
        md5: digest of the file as keras.applications has it; no other is published.
    """
    file = f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return Pretrained("imagenet", file, digest=f"md5:{md5}", url=f"{_ROOT}/{folder}")
