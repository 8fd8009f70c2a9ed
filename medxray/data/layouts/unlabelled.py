"""Images of a place without labels: files and patients of a folder or CSV. No TensorFlow."""

from pathlib import Path

import numpy as np

from medxray.data.csv_table import check_column, read_rows
from medxray.data.images import files as images
from medxray.data.layouts import kermany, public_releases
from medxray.data.layouts.csv_labels import BLANK
from medxray.data.layouts.find_image import ImageFinder
from medxray.data.left_out import report_left_out
from medxray.data.manifest import Manifest, Skipped, build_table, portable_path
from medxray.errors import ConfigError, DataError, ImageError


def unlabelled_manifest(data, found, *, classes, positive, path_col=None, patient_col=None, image_root=None):
    """A Manifest whose labels are empty.

    Args:
        data: folder or CSV.
        found: the image files in a folder, list of pathlib.Path; of a CSV they are looked for here.
        classes: classes of the model that is to look at them.
        positive: the positive one of two, or None.
        path_col: column of a CSV with paths or names.
        patient_col: column of a CSV with patients, or None: those that file names or DICOM headers tell.
        image_root: folder that paths of a CSV count from; None: that of the CSV.

    Returns:
        Manifest.

    Raises:
        ConfigError: a CSV needs `path_col`, or a folder takes none of these options.
        DataError: a column does not exist, or no image is there.
    """
    data = Path(data)
    if data.is_file():
        root = Path(image_root or data.parent).absolute()
        rows = _csv_rows(data, root, path_col, patient_col)
    elif path_col or patient_col or image_root:
        raise ConfigError(f"--path-col, --patient-col and --image-root are for a CSV. {data} is a folder.")
    else:
        root, rows = data.absolute(), [(file, "") for file in found]
    usable, skipped = _readable(rows, root)
    report_left_out(skipped, files=len(rows))
    if not usable:
        raise DataError(f"No image of {data} can be read. Check the paths in it.")
    table = build_table(sorted((path, "", "", patient, "") for path, patient in usable.items()))
    return Manifest(table, root, "folders", tuple(classes), positive, bool(np.all(table["patient_id"] != "")))


def _csv_rows(data, root, path_col, patient_col):
    header, records = read_rows(data, as_written=(path_col,))
    if path_col is None:
        raise ConfigError(f"{data.name} needs --path-col. Its columns: {', '.join(header)}.")
    for column in filter(None, (path_col, patient_col)):
        check_column(column, header, where=data.name)
    finder, rows, missing = ImageFinder(root), [], []
    for number, cells in records:
        files, reason = finder.find(cells[path_col])
        patient = cells[patient_col].strip() if patient_col else ""
        rows += [(file, "" if patient.casefold() in BLANK else patient) for file in files]
        if not files:
            missing.append(Skipped(cells[path_col], f"{reason} ({data.name} row {number})"))
    report_left_out(missing, files=len(records))
    return rows


def _readable(rows, root):
    """(dict path -> patient, list of Skipped)."""
    usable, skipped = {}, []
    for file, patient in rows:
        path = portable_path(file, root)
        try:
            info = images.identify(file)
        except ImageError as error:
            skipped.append(Skipped(path, str(error)))
            continue
        if info.format == "DICOM" and not patient:
            patient = images.dicom_patient_key(file) or ""
        usable.setdefault(path, patient or kermany.patient_id(file.stem) or public_releases.patient_id(path))
    return usable, skipped
