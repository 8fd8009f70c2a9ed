"""The weights without top that keras.applications downloads. No TensorFlow."""

from medxray.models.architectures.row import Pretrained

_ROOT = "https://storage.googleapis.com/tensorflow/keras-applications"
_ENDING = "_weights_tf_dim_ordering_tf_kernels_notop.h5"


def imagenet(name, *, folder, md5, ending=_ENDING):
    """ImageNet weights of an architecture of keras.applications.

    Args:
        name: its name in the file.
        folder: the folder of its family.
        md5: digest of the file as keras.applications has it; no other is published.
        ending: what follows the name in the file's name.
    """
    return Pretrained("imagenet", f"{name}{ending}", digest=f"md5:{md5}", url=f"{_ROOT}/{folder}")
