"""The input gate of a run: fitted on its images, kept in its directory and on its record."""

import logging

import numpy as np

from medxray.data.splits import training_sample
from medxray.errors import DataError
from medxray.gate.parts import write_gate
from medxray.gate.views import fit_model_gate
from medxray.runs.images import own_manifest

log = logging.getLogger(__name__)


def fit_run_gate(directory, model, source, *, rows, pooled=None, seed=0, batch=32):
    """Fit a gate and write it to the run.

    Args:
        directory: runs.directory.RunDir.
        model: its model.
        source: data.pipeline.Source of its images.
        rows: rows of the source that are training images, and those that are validation images: two int arrays.
        pooled: pooled features of these rows, where they are known: two float arrays.
        seed: of the letterboxed views.
        batch: images that the model takes at a time.

    Returns:
        gate.parts.Gate.
    """
    train, validation = rows
    train_features, validation_features = pooled or (None, None)
    gate = fit_model_gate(
        model,
        source,
        train=train,
        validation=validation,
        train_features=train_features,
        validation_features=validation_features,
        seed=seed,
        batch=batch,
    )
    write_gate(directory.gate_file, gate)
    record = {
        "accepted": gate.accepted,
        "validation_views": gate.validation,
        "validation_images": len(validation),
        "training_images": len(train),
    }
    directory.update_record(gate=record)
    log.info("Input gate: accepts %.1f %% of %d validation views.", 100 * gate.accepted, gate.validation)
    return gate


def refit(run):
    """Fit the gate of a trained run on its own images, as its training does.

    Args:
        run: trained_run.Run.

    Returns:
        gate.parts.Gate.

    Raises:
        DataError: images of the run are gone.
        StorageError: the run's directory cannot be written.
    """
    source, manifest = run.form.readable(own_manifest(run))
    config = run.record["config"]
    seed = int(config.get("seed", 0))
    drawn = config.get("augment_seed")  # a run of version 0.1 has none
    validation = np.flatnonzero(manifest.table["split"].to_numpy() == "val")
    train = training_sample(manifest, seed if drawn is None else int(drawn))
    if len(train) < 2 or len(validation) < 2:
        raise DataError(f"{run.path} needs two readable training and validation images at least to fit its gate on.")
    return fit_run_gate(run.directory, run.model, source, rows=(train, validation), seed=seed, batch=run.batch)
