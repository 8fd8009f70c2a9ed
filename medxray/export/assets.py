"""What travels with the SavedModel in `assets.extra`: facts for programs, the model card for people."""

import shutil

import keras
import tensorflow as tf

from medxray.errors import RunError
from medxray.evaluation.model_card import model_card
from medxray.gate.parts import REASONS
from medxray.system import storage
from medxray.version import __version__

FOLDER = "assets.extra"


def write_assets(run, spec, folder):
    """Write `classes.json` and `model_card.md` into `<folder>/assets.extra`.

    Args:
        run: a run as `medxray.load_run` returns it.
        spec: `serving.ServingSpec` of the run.
        folder: the SavedModel's folder.

    A model card that the run has lost is written anew, from run.json and metrics.json.

    Raises:
        RunError: the run has no model card and was not evaluated.
        StorageError: disk full or no permission.
    """
    extra = folder / FOLDER
    extra.mkdir()
    storage.write_json(extra / "classes.json", facts(run, spec))
    if run.directory.card_file.is_file():
        shutil.copyfile(run.directory.card_file, extra / "model_card.md")
    else:
        storage.write_text(extra / "model_card.md", _card_anew(run.directory))


def _card_anew(directory):
    try:
        return model_card(directory.read_record(), storage.read_json(directory.metrics_file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{directory.card_file} is missing, which every export carries, and {directory.metrics_file.name}, from "
            f"which it could be written anew, cannot be read ({error}). Restore it, or finish the run with: "
            f"medxray train --resume {directory.path}"
        ) from error


def facts(run, spec):
    """The content of classes.json as a dict; the keys are explained in docs/savedmodel.md."""
    height, width = spec.size
    decision = run.decision.to_dict()
    return {
        "name": run.name,
        "classes": spec.classes,
        "positive": run.positive,
        "threshold": decision["threshold"],
        "temperature": spec.calibration.temperature,
        "bias": spec.calibration.biases(len(spec.classes)),
        "input": {"height": height, "width": width, "channels": spec.channels, "range": [0, 255]},
        "resize": spec.resize,
        "arch": None if run.architecture is None else run.architecture.name,
        "heat_layer": spec.layer,
        "gate": None if run.gate is None else {"accepted_up_to": 1.0, "reasons": sorted(REASONS)},
        "versions": {"medxray": __version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }
