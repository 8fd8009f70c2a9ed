"""The classification head: pooled features -> logits -> probabilities."""

from keras import layers, regularizers

from medxray.models.names import LOGITS, POOLED, PROBABILITIES
from medxray.models.normalization import MOMENTUM


def attach_head(features, classes, *, units, dropout, l2, seed, normalize=True):
    """Put global average pooling, normalisation, a hidden layer with dropout and L2, and a softmax on a backbone.

    The batch normalisation brings pooled features, most of which are nearly always close to zero, to one scale;
    without it the head of a frozen VGG16 learns many times more slowly.

    Args:
        features: keras tensor (N,h,w,c).
        classes: number of classes K, at least 2; two classes are a softmax over two logits as well.
        units: size of the hidden layer; 0 leaves it out.
        dropout: share of hidden units dropped in training, 0 to below 1.
        l2: weight of the L2 penalty on the head's kernels.
        seed: of dropout; it is part of the saved model, so that a reloaded one drops the same units.
        normalize: False leaves the batch normalisation out.

    Returns:
        keras tensor (N,K), float32 probabilities; layers `pooled`, `logits` (float32) and `probabilities`.
    """
    penalty = regularizers.L2(l2) if l2 else None
    tensor = layers.GlobalAveragePooling2D(name=POOLED)(features)
    if normalize:
        tensor = layers.BatchNormalization(momentum=MOMENTUM, name="head_norm")(tensor)
    if units:
        tensor = layers.Dense(units, activation="relu", kernel_regularizer=penalty, name="hidden")(tensor)
    tensor = layers.Dropout(dropout, seed=seed, name="dropout")(tensor)
    logits = layers.Dense(classes, kernel_regularizer=penalty, dtype="float32", name=LOGITS)(tensor)
    return layers.Softmax(dtype="float32", name=PROBABILITIES)(logits)
