"""Methods of patches as one flat graph: backbone up to two layers of middle depth, patches, distances."""

import keras
from keras import layers, ops

from medxray.anomaly.patch_features import patch_features
from medxray.anomaly.score import RAW_SCORE
from medxray.models.classifier import build_classifier
from medxray.models.heads import POOLED
from medxray.models.registry import architecture


def build_backbone(arch, *, image_size, channels, preprocessing=None):
    """An untrained classifier of an architecture, of which the convolutions are used; see `build_classifier`."""
    form = {"image_size": image_size, "channels": channels, "preprocessing": preprocessing}
    return build_classifier(arch, classes=2, units=0, **form)


def patch_layers(arch):
    """Names of the two layers that patches are taken from: the ends of the third and the second block from the end.

    For VGG16 block3 and block4, for ResNet50 conv3 and conv4, which are the layers 2 and 3 of PatchCore. PaDiM's
    paper takes layer 1 as well; here both methods have the same patches, which are cached once.
    """
    return architecture(arch).stages[-3:-1]


def patches_of(tensors, *, scale):
    """The graph from activations to patches: list of (N,h,w,c) -> (N,h,w,d); `scale` as for `patch_features`."""
    inputs = [keras.Input(tensor.shape[1:], name=f"activations_{index}") for index, tensor in enumerate(tensors)]
    return keras.Model(inputs, patch_features(inputs, scale=scale), name="patches")


def build_patch_detector(backbone, fit, *, names, scale, image_score):
    """Put a fitted method behind the convolutions of a backbone.

    Args:
        backbone: a classifier; its first blocks are used with the weights they have.
        fit: what a method was fitted to, with `graph(patches (N,h,w,d)) -> map (N,h,w), largest distance (N,...)`, such
            as padim.PadimFit.
        names: of the layers that the patches are taken from, see `patch_layers`.
        scale: of the patches that it was fitted on, see `patch_features`.
        image_score: "max" as in the papers: the largest distance of PaDiM's map, the weighted one of PatchCore (see
            `patchcore_map`); or "mean": the mean of the map, for what changes much of an image a little.

    Returns:
        keras.Model: images (N,H,W,C), 0-255 -> list of raw score (N,1), anomaly map (N,h,w) and pooled (N,c), the mean
        of the deeper layer over positions.
    """
    tensors = [backbone.get_layer(name).output for name in names]
    raw, distances = _scored(patch_features(tensors, scale=scale), fit, image_score)
    pooled = layers.GlobalAveragePooling2D(dtype="float32", name=POOLED)(tensors[-1])
    return keras.Model(backbone.input, [raw, distances, pooled], name=backbone.name)


def _scored(patches, fit, image_score):
    distances, score = fit.graph(patches)
    if image_score == "mean":
        score = ops.mean(distances, axis=(1, 2), keepdims=True)
    return layers.Reshape((1,), dtype="float32", name=RAW_SCORE)(score), distances
