"""What the check of a method costs, and the options that are lowered for it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from medxray.explain.methods import METHODS, OCCLUSION
from medxray.explain.occlusion_grid import grids_of
from medxray.explain.several import requests_for

MANY_PASSES = 100  # for one map; above it fewer images are checked
FEW_IMAGES = 16  # then
_GRADIENT = 2  # passes that a backward pass through the whole network counts for


@dataclass(frozen=True)
class Setting:
    """How one method is checked.

    Attributes:
        passes: function (options, (H, W) of the input) -> forward passes that one map costs.
        options: function (H, W) -> dict of options that differ from the method's defaults.
        reason: why they differ; "" where they do not.
    """

    passes: Callable
    options: Callable = lambda size: {}
    reason: str = ""


def _patches(options, size):
    grids = grids_of(size, **{name: options[name] for name in ("patch", "stride", "sizes")})
    splits = [grid.coarse() for grid in grids]
    return 1 + sum(len(first) + math.ceil(len(others) / 4) for first, others in splits)


def _relative_patch(size):
    patch = max(2, min(size) // 7)
    return {"patch": patch, "stride": max(1, patch // 2), "coarse": 1}


_TO_THE_IMAGE = Setting(lambda options, size: 1 + _GRADIENT)
_TO_THE_LAYER = Setting(lambda options, size: 1)  # the way back to the last layer is short

_SETTINGS = {
    "gradcam": _TO_THE_LAYER,
    "gradcam++": _TO_THE_LAYER,
    "layercam": _TO_THE_LAYER,
    "cam": _TO_THE_LAYER,
    "saliency": _TO_THE_IMAGE,
    "scorecam": Setting(
        lambda options, size: 1 + options["channels"],
        lambda size: {"channels": 64},
        "the 64 channels that vary most instead of all: hundreds of passes for one map",
    ),
    OCCLUSION: Setting(
        _patches,
        _relative_patch,
        "a patch is a seventh of the image, and the grid goes from coarse to fine: half the passes",
    ),
    "smoothgrad": Setting(
        lambda options, size: 1 + (1 + _GRADIENT) * options["samples"],
        lambda size: {"samples": 8},
        "8 noisy copies instead of 16: half the passes",
    ),
    "integrated-gradients": Setting(
        lambda options, size: 1 + (1 + _GRADIENT) * options["steps"],
        lambda size: {"steps": 16},
        "16 steps instead of 32: half the passes",
    ),
    "rise": Setting(
        lambda options, size: 1 + options["masks"],
        lambda size: {"masks": 250},
        "250 masks instead of 1000: a quarter of the passes",
    ),
}


def setting_of(name):
    """The Setting of a method; one that is not in the table counts as a forward and a backward pass."""
    return _SETTINGS.get(name, _TO_THE_IMAGE)


def default_methods():
    """Names of the methods that are checked where nobody names any: those of one pass forth and back, tuple."""
    return tuple(name for name in METHODS if setting_of(name) in (_TO_THE_IMAGE, _TO_THE_LAYER))


def chosen_methods(text):
    """The methods that a text names.

    Args:
        text: names with commas between them, "all", or None for `default_methods()`.

    Returns:
        tuple of names in the order given, each once.

    Raises:
        ConfigError: a name is not in the table of methods.
    """
    if text is None:
        return default_methods()
    return tuple(request.method for request in requests_for(text))
