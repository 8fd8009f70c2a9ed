"""The pooled features of a run's images, or of other data, as Embeddings in a file."""

import logging

import numpy as np

from medxray.data.images.access import path_text
from medxray.embeddings.vectors import Embeddings, read_embeddings, write_embeddings
from medxray.errors import DataError, RunError, StorageError
from medxray.models.inference import weights_digest
from medxray.runs.images import WITH_DATA, data_name, is_own_data, other_manifest, own_manifest, without_known
from medxray.runs.known import known_images
from medxray.system.storage import check_place

log = logging.getLogger(__name__)


def extract(run, data=None, *, splits=(), out=None, label_map=None, columns=None, exclude_known=False):
    """Write the pooled features of images; each image is read unchanged, without augmentation.

    Args:
        run: api.Run.
        data: folder or CSV, of which images that the run has learned are left out; None, or the data of the run,
            wherever it is now: the images the run was trained, validated and tested with.
        splits: names of the splits to take; empty: all, and images without a split as well.
        out: npz file; None: `embeddings[-<splits>].npz` in the run, for other data in RUN/external/<name>.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col, image_root, positive_finding, uncertain for a CSV.
        exclude_known: leave out patients and pictures of the training that other data hold in other files, too.

    Returns:
        (Embeddings, path of the file).

    Raises:
        DataError: the labels are not classes of the run, or no image is left.
        StorageError: the file cannot be written.
    """
    if out is not None:
        check_place(out, file=True)
    how = {"label_map": label_map, "columns": columns}
    manifest, folder = _manifest(run, data, splits=splits, exclude_known=exclude_known, **how)
    embeddings = embed(run, manifest)
    name = "-".join(("embeddings", *dict.fromkeys(splits)))
    path = folder / f"{name}.npz" if out is None else out
    write_embeddings(path, embeddings)
    return embeddings, path


def _manifest(run, data, *, splits, exclude_known, **how):
    root = None
    if data is not None:
        manifest = other_manifest(run, data, **how)
        if not is_own_data(run, manifest, data):
            fresh, _ = known_images(run, without_known(run, _in_splits(manifest, splits)), exclude=exclude_known)
            return fresh, run.directory.external_folder(data_name(data))
        log.info("%s is the data of this run: its own images and splits are taken.", data)
        root = manifest.root
    needed = splits[0] if len(splits) == 1 else None  # files of other splits may be gone
    return _in_splits(own_manifest(run, needed, root=root, otherwise=WITH_DATA), splits), run.path


def _in_splits(manifest, splits):
    part = manifest.where(manifest.table["split"].isin(splits)) if splits else manifest
    if not len(part):
        raise DataError(f"{manifest.root} has no image in: {', '.join(splits)}. Choose another --split.")
    return part


def embed(run, manifest):
    """The Embeddings of a manifest; files that cannot be read are left out with a warning.

    Raises:
        DataError: no file can be read.
    """
    vectors, manifest = run.embed_manifest(manifest)
    if not len(manifest):
        raise DataError(f"No image of {manifest.root} can be read: there is nothing to extract.")
    table = manifest.table
    return Embeddings(
        ids=table["path"].to_numpy(dtype=str),
        patients=manifest.patients(),
        labels=table["label"].to_numpy(dtype=str),
        subtypes=table["subtype"].to_numpy(dtype=str),
        splits=table["split"].to_numpy(dtype=str),
        digests=np.array(manifest.content_digests(), dtype=str),
        vectors=vectors,
        classes=tuple(manifest.classes),
        positive=manifest.positive,
        model_digest=weights_digest(run.model),
        run=run.name,
        root=str(manifest.root),
    )


def training_embeddings(run):
    """The Embeddings of a run's training images.

    They are computed once, from the unchanged images of all splits, and kept as RUN/embeddings.npz, the file that
    `medxray embed extract RUN` writes too. It appears only when it is complete; where it cannot be written, a warning
    says so.

    Raises:
        RunError: the file belongs to other weights, or holds no training image.
        DataError: the file is damaged, or images of the run are gone when it has to be computed.
    """
    file = run.directory.embeddings_file
    remedy = f"Write it again with: medxray embed extract {run.path}"
    if file.exists():
        embeddings = read_embeddings(file)
        if embeddings.model_digest != weights_digest(run.model):
            raise RunError(f"{file} was made with other weights than those of {run.directory.model_file}. {remedy}")
    else:
        log.info("The features of the run's images are computed once and kept as %s.", path_text(file))
        moved = f", or run: medxray embed extract {run.path} --data NEW_PLACE"
        embeddings = embed(run, own_manifest(run, otherwise=moved))
        try:
            write_embeddings(file, embeddings)
        except StorageError as error:
            log.warning("The features are used, but not kept. %s", error)
    training = embeddings.in_splits("train")
    if not len(training):
        raise RunError(f"{file} holds no training image. {remedy}")
    return training
