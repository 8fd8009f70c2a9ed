"""A run -> a SavedModel that any TensorFlow program can load, checked against the model it came from."""

import logging
from dataclasses import dataclass
from pathlib import Path

from medxray.export import placement
from medxray.export.assets import write_assets
from medxray.export.explanations import served_requests
from medxray.export.parity import check_parity
from medxray.export.samples import sample_files
from medxray.export.serving import save_serving, serving_of
from medxray.system import progress

__all__ = ["ExportResult", "export_model"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ExportResult:
    """What `export_model` made.

    Attributes:
        path: the version folder with `saved_model.pb`.
        parity: what was compared -> largest difference found, see `parity.check_parity`.
        checked_on: the images it was found on, in words.
    """

    path: Path
    parity: dict[str, float]
    checked_on: str


def export_model(run, to=None, *, methods=None, options=()):
    """Write a SavedModel with its signatures and check it, as written, against the run.

    Args:
        run: a run as `medxray.load_run` returns it.
        to: folder that holds the versions of this model; None: `saved_models/<name of the run>`. The new version
            gets the next free number.
        methods: explanation methods that get a signature, see `explanations.served_requests`.
        options: pairs (name, value) of their options.

    Returns:
        ExportResult.

    Raises:
        ConfigError: an unknown explanation method or option, or one that the model cannot answer.
        RunError: the graph differs from the model by more than `parity.TOLERANCE`, or the run has no model card
            and was not evaluated. Nothing is left in `to` then.
        StorageError: disk full or no permission. Nothing is left in `to` then.
    """
    base = Path("saved_models") / run.name if to is None else Path(to)
    explanations = served_requests(run, methods, options)
    with placement.staging(base) as folder, progress.track(3, "SavedModel") as bar:
        serving = serving_of(run, explanations)
        bar.advance(1)
        save_serving(serving, folder)
        write_assets(run, serving, folder)
        bar.advance(1)
        with sample_files(run) as samples:
            parity = check_parity(run, folder, samples.files, explanations)
        path = placement.publish(folder, base)
        bar.advance(1)
    differences = ", ".join(f"{name} {difference:.1e}" for name, difference in parity.items())
    log.info("SavedModel %s; largest differences from the model on %s: %s", path, samples.description, differences)
    return ExportResult(path, parity, samples.description)
