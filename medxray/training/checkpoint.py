"""Checkpoints: the exact state of training between two epochs, in one file, and models."""

import dataclasses
import json
import zipfile

import numpy as np

from medxray.errors import RunError
from medxray.system import storage


@dataclasses.dataclass(frozen=True)
class Position:
    """Where training is, and what decides when it stops.

    Attributes:
        stage: name of the stage.
        epoch: number of finished epochs in this stage.
        best_loss: lowest value so far of what the stage watches, see objectives.Objective.
        best_epoch: epoch (from 1) it was reached in; 0 before the first.
        rate_factor: factor that reduce-on-plateau has applied so far.
        history: finished epochs of all stages, one dict each.
    """

    stage: str
    epoch: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    rate_factor: float = 1.0
    history: tuple[dict, ...] = ()


def save_model(model, path):
    """Write a Keras model atomically."""
    with storage.atomic_path(path) as file:
        model.save(file)


def save_state(path, position, *, variables, optimizer, best):
    """Write position, model variables, optimizer variables and best variables atomically.

    Args:
        path: file to write (npz, no pickled objects).
        position: Position.
        variables: list of arrays, those of the model with the random states of dropout.
        optimizer: list of arrays.
        best: list of arrays.
    """
    arrays = {"position": np.frombuffer(json.dumps(dataclasses.asdict(position)).encode(), np.uint8)}
    for name, values in (("variable", variables), ("optimizer", optimizer), ("best", best)):
        arrays |= {f"{name}_{number}": np.asarray(value) for number, value in enumerate(values)}
    storage.write_npz(path, **arrays)


def load_state(path):
    """Read a state and return (Position, variables, optimizer, best); None when there is none.

    Raises:
        RunError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            position = json.loads(file["position"].tobytes())
            groups = [
                [file[f"{name}_{number}"] for number in range(sum(key.startswith(f"{name}_") for key in file.files))]
                for name in ("variable", "optimizer", "best")
            ]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is damaged ({error}). Remove the run and train again.") from error
    position["history"] = tuple(position["history"])
    return Position(**position), *groups
