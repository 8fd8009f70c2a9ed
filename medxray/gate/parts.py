"""What the gate measures, what it calls it, and the arrays that it consists of. No TensorFlow."""

import dataclasses
import zipfile
import zlib
from pathlib import Path

import numpy as np

from medxray.errors import RunError
from medxray.gate.gaussian import Gaussian
from medxray.system import storage

PARTS = ("layout", "tone", "texture", "features", "orientation")
PART_REASONS = (
    "unusual layout",
    "unusual brightness, contrast or colour",
    "unusual texture",
    "unusual features",
    "unusual layout",
)
TURN_REASONS = (  # in the order of `graph.measure`
    "",
    *["looks upside down"] * 2,
    *["looks rotated by 90 degrees"] * 4,
    *["looks inverted"] * 2,
    *["looks inverted and upside down"] * 2,
    *["looks inverted and rotated by 90 degrees"] * 4,
)
REASONS = frozenset((*PART_REASONS, *TURN_REASONS)) - {""}  # all that a gate can say
_KIND = "medxray-gate"
DESCRIBED = PARTS[:4]
DIMENSIONS = {"layout": 256, "tone": 3, "texture": 448}  # of what `statistics.describe` returns


@dataclasses.dataclass(frozen=True, eq=False)
class Gate:
    """The input gate of a run.

    Attributes:
        layout, tone, texture, features: Gaussian of each description of the training images, see
            `statistics.Description`; the features are the pooled ones of the model.
        scales: float32 array (5,), positive: the largest value of each of `PARTS` that is accepted.
        accepted: share of the validation views that are accepted, 0-1.
        validation: number of validation views the scales come from.
    """

    layout: Gaussian
    tone: Gaussian
    texture: Gaussian
    features: Gaussian
    scales: np.ndarray
    accepted: float
    validation: int


def write_gate(path, gate):
    """Write a gate atomically as an npz of float32 arrays, none of them a pickled object."""
    arrays = {"kind": np.array(_KIND), "scales": gate.scales}
    arrays |= {"accepted": np.array(gate.accepted, np.float64), "validation": np.array(gate.validation, np.int64)}
    for name in DESCRIBED:
        part = getattr(gate, name)
        arrays |= {f"{name}_mean": part.mean, f"{name}_whitening": part.whitening}
    storage.write_npz(path, **arrays)


def read_gate(path, *, features):
    """Read what `write_gate` wrote.

    Args:
        path: npz file.
        features: number of pooled features of the model that it belongs to.

    Returns:
        Gate.

    Raises:
        RunError: the file is missing, damaged, of another program or model, or holds pickled objects (which are never
            loaded).
    """
    remedy = f"Fit it again with: medxray gate {Path(path).parent}"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        gate = _gate(arrays)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}. {remedy}") from error
    except (ValueError, TypeError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path} is damaged, holds pickled objects or is no gate of medxray. {remedy}") from error
    if len(gate.features.mean) != features:
        raise RunError(
            f"{path} is of a model with {len(gate.features.mean)} pooled features, that of this run has {features}. "
            f"{remedy}"
        )
    return gate


def _gate(arrays):
    """Raises ValueError or KeyError unless the arrays make up a gate."""
    if arrays["kind"].shape or str(arrays["kind"]) != _KIND:
        raise ValueError("kind")
    parts = {name: _gaussian(arrays[f"{name}_mean"], arrays[f"{name}_whitening"]) for name in DESCRIBED}
    if any(len(parts[name].mean) != size for name, size in DIMENSIONS.items()):
        raise ValueError("dimensions")
    scales = _numbers(arrays["scales"], (len(PARTS),))
    if not (scales > 0).all():
        raise ValueError("scales")
    return Gate(**parts, scales=scales, accepted=float(arrays["accepted"]), validation=int(arrays["validation"]))


def _gaussian(mean, whitening):
    if mean.ndim != 1 or not len(mean):
        raise ValueError("mean")
    return Gaussian(_numbers(mean, mean.shape), _numbers(whitening, (len(mean), len(mean))))


def _numbers(array, shape):
    if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise ValueError("array")
    return array
