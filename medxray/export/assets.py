"""What travels with the SavedModel in `assets.extra`: facts for programs, the model card for people."""

import shutil

import keras
import tensorflow as tf

from medxray import __version__, storage
from medxray.errors import RunError
from medxray.runs import RunDir

FOLDER = "assets.extra"


def write_assets(run, spec, folder):
    """Write `classes.json` and `model_card.md` into `<folder>/assets.extra`.

    Args:
        run: a run as `medxray.load_run` returns it.
        spec: `serving.ServingSpec` of the run.
        folder: the SavedModel's folder.

    Raises:
        RunError: the run has no model card.
        StorageError: disk full or no permission.
    """
    card = RunDir(run.path).card_file
    if not card.is_file():
        raise RunError(f"{card} is missing; every export carries it. Write it again with: medxray evaluate {run.path}")
    extra = folder / FOLDER
    extra.mkdir()
    storage.write_json(extra / "classes.json", facts(run, spec))
    shutil.copyfile(card, extra / "model_card.md")


def facts(run, spec):
    """The content of classes.json as a dict; the keys are explained in docs/savedmodel.md."""
    height, width = spec.size
    decision = run.decision.to_dict()
    return {
        "name": run.name,
        "classes": spec.classes,
        "positive": run.positive,
        "threshold": decision["threshold"],
        "temperature": spec.temperature,
        "input": {"height": height, "width": width, "channels": spec.channels, "range": [0, 255]},
        "resize": spec.resize,
        "arch": run.architecture.name,
        "heat_layer": spec.layer,
        "versions": {"medxray": __version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }
