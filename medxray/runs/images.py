"""The images of a run: its own, other data in its classes, and which of them it has learned."""

import contextlib
import logging
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from medxray.data.images.access import is_image_file, path_text
from medxray.data.layouts.labels import parse_label_map
from medxray.data.layouts.sources import load_manifest
from medxray.data.left_out import report_left_out
from medxray.data.manifest import read_split_csv, remedy_for_gone
from medxray.errors import ConfigError, DataError, RunError
from medxray.runs.adaptation_sample import read_sample
from medxray.runs.known import known_images
from medxray.system import storage

log = logging.getLogger(__name__)
_LONGEST_NAME = 200  # letters of a dataset's name in that of a folder, which may have 255 bytes
WITH_DATA = ", or name the new place with --data"  # the way out of commands that have this option


def own_manifest(run, split=None, *, root=None, otherwise=""):
    """The manifest a run was trained with.

    Args:
        run: api.Run.
        split: one split of it; None: all.
        root: folder of the images; None: where they were in training.
        otherwise: a way out, in words, for the message where files are gone.

    Raises:
        DataError: files of it are gone.
    """
    data = run.record["data"]
    root = Path(data["root"]) if root is None else root
    return read_split_csv(
        run.directory.split_file,
        root=root,
        task=data["task"],
        classes=tuple(data["classes"]),
        positive=data["positive"],
        split=split,
        remedy=remedy_for_gone(root, otherwise),
    )


def other_manifest(run, data, *, label_map=None, columns=None):
    """The manifest of a folder or CSV in the classes of a run.

    Where the data cannot be read as given, options left out are taken from the training of the run, if that helps: its
    label map, and for a CSV its columns.

    Args:
        run: api.Run.
        data: folder or CSV.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col, image_root, positive_finding, uncertain for a CSV.

    Raises:
        DataError: the labels are not classes of the run.
    """
    fixed = {
        "task": run.record["data"]["task"],
        "classes": run.classes,
        "positive": run.positive,
        "normal": run.normal,
    }
    given = {name: value for name, value in {"label_map": label_map, **(columns or {})}.items() if value is not None}
    manifest = _read_with(run, data, fixed, given)
    report_left_out(manifest.skipped, files=len(manifest) + len(manifest.skipped))
    return manifest


def _read_with(run, data, fixed, given):
    """The manifest by the options given, or with those of the run's training where these alone do not do."""
    try:
        return load_manifest(data, **fixed, **given)
    except (ConfigError, DataError):
        options = _trained_options(run, data) | given
        if options == given:
            raise
        with contextlib.suppress(ConfigError, DataError):
            manifest = load_manifest(data, **fixed, **options)
            names = ", ".join(f"--{name.replace('_', '-')}" for name in options if name not in given)
            log.info("%s is read with %s of the run's training.", path_text(data), names)
            return manifest
        raise


def _trained_options(run, data):
    """Options of `load_manifest` that the run was trained with and that such data may need."""
    config = run.record.get("config", {})
    names = ("path_col", "label_col", "patient_col", "split_col", "positive_finding", "uncertain")
    names = names if os.path.isfile(data) else ()
    options = {"label_map": parse_label_map(config.get("label_map")), **{name: config.get(name) for name in names}}
    return {name: value for name, value in options.items() if value is not None}


def is_own_data(run, manifest, data):
    """Whether `data`, which `manifest` was read from, is what the run was trained on.

    That is the same folder or CSV; or, where images of the run are gone, another one that lists all of them, with the
    same relative paths and bytes.

    Raises:
        RunError: the run's list of its images cannot be read.
    """
    source, data = Path(run.record["data"]["source"]), Path(data)
    if manifest.root != Path(run.record["data"]["root"]):
        return _has_moved(run, manifest)
    same_kind = data.is_dir() == source.is_dir()
    return same_kind and (data.is_dir() or data.resolve() == source.resolve())


def _has_moved(run, manifest):
    """Whether images of the run are gone from their place, and all of them lie below the root of a manifest."""
    content, root = read_content(run.directory), Path(run.record["data"]["root"])
    own = dict(zip(content["path"], content["sha256"], strict=True))
    if all(is_image_file(root / path) for path in own):
        return False
    here = manifest.where(manifest.table["path"].isin(list(own)))
    return len(here) == len(own) and own == dict(zip(here.table["path"], here.content_digests(), strict=True))


def data_name(data):
    """A folder name for a dataset: its own name, and six digits of its path's SHA-256 to tell equal names apart."""
    path = Path(data).resolve()
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', path.name)[:_LONGEST_NAME]}-{storage.text_sha256(str(path))[:6]}"


def unseen(run, manifest, split, *, exclude_known=False):
    """A split of a manifest (all of it, where it has no splits) without what the run has learned or chosen from.

    Args:
        run: trained_run.Run.
        manifest: Manifest of other data.
        split: "train", "val" or "test".
        exclude_known: leave out patients and pictures that the run knows from other files, too.

    Returns:
        (Manifest, known.Known).

    Raises:
        DataError: there is no such split, or no image is left.
        RunError: the run's list of its images cannot be read.
    """
    return known_images(run, without_known(run, _split_of(manifest, split)), exclude=exclude_known)


def _split_of(manifest, split):
    if (manifest.table["split"] == "").all():
        log.info("%s has no splits: all of its %d images are evaluated.", path_text(manifest.root), len(manifest))
        return manifest
    part = manifest.subset(split)
    if not len(part):
        present = ", ".join(sorted(set(manifest.table["split"]) - {""}))
        raise DataError(f"{manifest.root} has no {split} split, but: {present}. Name one with --split.")
    return part


def without_known(run, part):
    """Leave out images whose bytes are those of an image the run has learned or chosen its threshold from.

    Args:
        run: api.Run.
        part: Manifest of other data.

    Returns:
        Manifest of the images that are new to the run; a warning tells how many are not.

    Raises:
        DataError: none is left.
        RunError: the run's list of its images cannot be read.
    """
    fresh = ~same_files(run, part)
    if not fresh.all():
        log.warning(
            "%d of %d images are the same files as training or validation images%s and are left out.",
            int((~fresh).sum()),
            len(part),
            ", or those that the decision was adapted to," if run.directory.adaptation_file.exists() else "",
        )
    if not fresh.any():
        raise DataError(f"The run has seen every image wanted of {part.root}: none is left.")
    return part.where(fresh)


def same_files(run, part):
    """Bool array (n,): images of a manifest with the bytes of one that the run has learned or was adapted to.

    Raises:
        RunError: the run's list of its images cannot be read.
    """
    learned = learned_digests(run.directory) | set(read_sample(run.directory)["sha256"])
    return np.array([digest in learned for digest in part.content_digests()], bool)


def learned_digests(directory, splits=("train", "val")):
    """SHA-256 of the images of some splits of a run (RunDir), a set; RunError where they are not known."""
    table = read_content(directory)
    return set(table.loc[table["split"].isin(splits), "sha256"])


def read_content(directory):
    """Path, split and SHA-256 of each image of a run (RunDir), as its training wrote them."""
    try:
        return pd.read_csv(directory.content_file, dtype=str, keep_default_na=False)[["path", "split", "sha256"]]
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"{directory.content_file} cannot be read, so images known from training cannot be told from new ones. "
            "Restore it, or train the run again."
        ) from error
