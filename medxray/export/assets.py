"""What travels with the SavedModel in `assets.extra`: facts for programs, the model card for people."""

import shutil

import keras
import tensorflow as tf

from medxray.errors import RunError
from medxray.evaluation.model_card import model_card
from medxray.explain.methods import method_named
from medxray.gate.parts import REASONS
from medxray.metrics.selective import RISKS
from medxray.system import storage
from medxray.version import __version__

FOLDER = "assets.extra"


def write_assets(run, serving, folder):
    """Write `classes.json` and `model_card.md` into `<folder>/assets.extra`.

    Args:
        run: a run as `medxray.load_run` returns it.
        serving: `serving.Serving` of the run.
        folder: the SavedModel's folder.

    A model card that the run has lost is written anew, from run.json and metrics.json.

    Raises:
        RunError: the run has no model card and was not evaluated.
        StorageError: disk full or no permission.
    """
    extra = folder / FOLDER
    extra.mkdir()
    storage.write_json(extra / "classes.json", facts(run, serving))
    if run.directory.card_file.is_file():
        shutil.copyfile(run.directory.card_file, extra / run.directory.card_file.name)
    else:
        storage.write_text(extra / run.directory.card_file.name, _new_card(run.directory, run.kind.card))


def _new_card(directory, kind_card):
    try:
        return model_card(directory.read_record(), storage.read_json(directory.metrics_file), kind_card)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{directory.card_file} is missing, which every export carries, and {directory.metrics_file.name}, from "
            f"which it could be written anew, cannot be read ({error}). Restore it, or finish the run with: "
            f"medxray train --resume {directory.path}"
        ) from error


def facts(run, serving):
    """The content of classes.json as a dict; the keys are explained in docs/savedmodel.md."""
    height, width = run.input_size
    decision = run.decision.to_dict()
    return {
        "name": run.name,
        "classes": run.classes,
        "positive": run.positive,
        "threshold": decision["threshold"],
        "temperature": run.decision.calibration.temperature,
        "bias": run.decision.calibration.biases(len(run.classes)),
        "input": {"height": height, "width": width, "channels": run.channels, "range": [0, 255]},
        "resize": run.resize,
        "arch": None if run.architecture is None else run.architecture.name,
        "heat_layer": serving.heat_layer,
        "explanations": {request.method: _explanation(run, request) for request in serving.explanations},
        "gate": None if run.gate is None else {"accepted_up_to": 1.0, "reasons": sorted(REASONS)},
        "unsure": _unsure(run),
        "versions": {"medxray": __version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _unsure(run):
    """When the graph is unsure; None where the run does not know, `abstain` None where the error cannot be kept."""
    if run.unsure is None:
        return None
    point = run.unsure.abstention.point(RISKS[0])
    abstain = {"risk": RISKS[0], "confidence": run.unsure.abstention.confidence}
    return {
        "level": run.unsure.sets.level,
        "views": run.unsure.views,
        "abstain": None if point is None else abstain | {"log_odds": point.log_odds, "bound": point.bound},
    }


def _explanation(run, request):
    options = method_named(request.method).chosen_options(dict(request.options))
    return {"layer": request.layer_of(run), "options": options}
