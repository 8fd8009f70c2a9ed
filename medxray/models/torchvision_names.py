"""How torchvision names the layers of the architectures that it has too. No TensorFlow."""

import re

from medxray.errors import WeightsError

HEAD = ("classifier.", "fc.")  # tensors that a new head takes the place of
PREPROCESSING = "torch"  # of every network of torchvision
_VGG = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions of each block
_ALEXNET = {"conv1": 0, "conv2": 3, "conv3": 6, "conv4": 8, "conv5": 10}
_RESNET = (
    (r"conv1_(conv|bn)", lambda found: {"conv": "conv1", "bn": "bn1"}[found[1]]),
    (r"conv(\d)_block(\d+)_0_(conv|bn)", lambda found: f"{_stage(found)}.downsample.{('conv', 'bn').index(found[3])}"),
    (r"conv(\d)_block(\d+)_(\d)_(conv|bn)", lambda found: f"{_stage(found)}.{found[4]}{found[3]}"),
)
_DENSENET = (
    (r"conv1_(conv|bn)", lambda found: {"conv": "features.conv0", "bn": "features.norm0"}[found[1]]),
    (r"conv(\d)_block(\d+)_([01])_bn", lambda found: f"{_dense(found)}.norm{int(found[3]) + 1}"),
    (r"conv(\d)_block(\d+)_([12])_conv", lambda found: f"{_dense(found)}.conv{found[3]}"),
    (r"pool(\d)_bn", lambda found: f"features.transition{int(found[1]) - 1}.norm"),
    (r"pool(\d)_conv", lambda found: f"features.transition{int(found[1]) - 1}.conv"),
    (r"bn", lambda found: "features.norm5"),
)
_FAMILIES = {
    **dict.fromkeys(("resnet50-v1.5", "resnet101-v1.5"), _RESNET),
    **dict.fromkeys(("densenet121", "densenet161", "densenet169", "densenet201"), _DENSENET),
}
_VERSION_1 = ("resnet50", "resnet101")
ARCHITECTURES = (*_VGG, "alexnet", *_FAMILIES)


def torchvision_names(arch, layers):
    """The names in torchvision of the layers of an architecture.

    Args:
        arch: name in the registry.
        layers: names of its layers with weights.

    Returns:
        dict layer -> module, as `torch_weights.fill` takes it.

    Raises:
        WeightsError: torchvision has no such network, or another version of it.
    """
    if arch in _VERSION_1:
        raise WeightsError(
            f"{arch} has the stride on the 1x1 convolution, and torchvision's on the 3x3, which is version 1.5: "
            f"convert with --arch {arch}-v1.5."
        )
    if arch not in ARCHITECTURES:
        raise WeightsError(f"--arch must be one of {', '.join(ARCHITECTURES)} to be converted. Received '{arch}'.")
    if arch in _FAMILIES:
        return {layer: _first(_FAMILIES[arch], layer) for layer in layers}
    places = _vgg_places(_VGG[arch]) if arch in _VGG else _ALEXNET
    return {layer: f"features.{places[layer]}" for layer in layers}


def plain_names(tensors):
    """The tensors with the names that torchvision has today: until 2018 DenseNet's inner ones had a point, `norm.1`."""
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name): tensors[name] for name in tensors}


def _vgg_places(blocks):
    """Place of each convolution among all layers: a ReLU follows each, and a maximum each block."""
    places, place = {}, 0
    for block, count in enumerate(blocks, 1):
        for index in range(1, count + 1):
            places[f"block{block}_conv{index}"] = place
            place += 2
        place += 1
    return places


def _first(rules, layer):
    return next(name(found) for pattern, name in rules if (found := re.fullmatch(pattern, layer)))


def _stage(found):
    return f"layer{int(found[1]) - 1}.{int(found[2]) - 1}"


def _dense(found):
    return f"features.denseblock{int(found[1]) - 1}.denselayer{found[2]}"
