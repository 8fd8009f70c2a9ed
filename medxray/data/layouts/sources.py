"""Folder trees and CSVs to manifests: the way into the project for data. No TensorFlow."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

from medxray.data.csv_table import shortened
from medxray.data.images import files as images
from medxray.data.images.access import path_text
from medxray.data.images.array_images import is_array_file
from medxray.data.layouts import kermany, public_releases
from medxray.data.layouts.against_normal import against_normal, merge
from medxray.data.layouts.csv_labels import joins_findings
from medxray.data.layouts.csv_source import CsvOptions, check_labels_kept, csv_rows
from medxray.data.layouts.folder_source import check_classes_kept, folder_rows
from medxray.data.layouts.folders import remedy
from medxray.data.layouts.labels import (
    ABNORMAL,
    LabelledFile,
    apply_label_map,
    class_names,
    guess_task,
    known_task,
    order_binary,
    renamed,
    resolve,
)
from medxray.data.layouts.medmnist import array_rows
from medxray.data.layouts.not_a_table import NOTHING, check_is_table, is_named_like_file, why_no_place
from medxray.data.layouts.patients import without_artefacts
from medxray.data.manifest import (
    Manifest,
    Skipped,
    all_known,
    build_table,
    read_split_csv,
    split_csv_labels,
)
from medxray.data.tasks import TASK_CLASSES
from medxray.errors import ConfigError, DataError, ImageError
from medxray.system import progress

log = logging.getLogger(__name__)
_THREADS = 8


def load_manifest(
    data,
    *,
    task=None,
    classes=None,
    positive=None,
    path_col=None,
    label_col=None,
    patient_col=None,
    split_col=None,
    image_root=None,
    positive_finding=None,
    uncertain=None,
    label_map=None,
    normal=None,
    split_file=None,
):
    """Read a dataset's layout into a Manifest; file headers are looked at, pixels are not.

    Args:
        data: folder (the Kaggle chest X-ray tree or class folders, with or without train/val/test), CSV, or MedMNIST
            file (npz).
        task: "pneumonia", "pneumonia-subtype" or "folders"; None: "pneumonia" when the labels are NORMAL and
            PNEUMONIA, else "folders".
        classes: class names in order that the labels must be among, such as those of a trained model; None:
            those of the task or the labels found.
        positive: the sick one of two classes; needed where the names do not say it.
        path_col: CSV column of image paths or names.
        label_col: CSV column of labels.
        patient_col: CSV column of patients, or None.
        split_col: CSV column of splits, or None.
        image_root: folder that the paths of a CSV count from; None: the CSV's folder.
        positive_finding: of the findings in a label cell the one that makes an image positive, or None.
        uncertain: what the label -1 of a CSV means: "drop", "positive" or "negative"; None: it is not expected.
        label_map: dict source label -> class, or None.
        split_file: file for `load_split`, whose labels the map may name as well, or None.
        normal: the class that is set against all others as one, or labels.BY_NAME; None: classes stay as they are.
            With `classes` the others become the second of them. Several others keep their labels as subtypes.

    Returns:
        Manifest sorted by path; `split` is "" where the source has no splits. Files that are no usable images are
        in `skipped` with the reason.

    Raises:
        ConfigError: an option is impossible for this data.
        DataError: nothing usable, a damaged CSV, an unknown label.
    """
    if data == "":
        raise DataError("An empty name was given for the data, perhaps from a variable that is not set.")
    data = Path(data)
    task = known_task(task)
    options = CsvOptions(path_col, label_col, patient_col, split_col, image_root, positive_finding, uncertain)
    named = [*(label_map or ()), *(classes or ())]
    root, usable, skipped, ignored = _usable_files(data, options, named=named)
    from_kermany = task in TASK_CLASSES or guess_task(usable) == "pneumonia"
    elsewhere = sorted(split_csv_labels(split_file)) if label_map and split_file is not None else ()
    usable = apply_label_map(usable, label_map, elsewhere=elsewhere, finer=normal is not None)
    task = task or guess_task(usable)
    if normal is None:
        _check_single_findings(usable, classes)
    else:
        usable, positive = against_normal(usable, normal, task=task, classes=classes)
    if classes is not None and len(classes) == 2 and positive is None:
        positive = classes[-1]
    names, positive = order_binary(class_names(usable, task, classes), positive, task=task)
    entries, unnamed = _entries(usable, names, task=task, from_kermany=from_kermany)
    if not entries:
        raise DataError(_nothing_usable(data, unnamed))
    table = build_table(sorted(entries))
    skipped = tuple(sorted([*skipped, *unnamed], key=lambda item: item.path))
    log.debug("%s: task %s, classes %s, %d images, %d skipped", data, task, ", ".join(names), len(table), len(skipped))
    return Manifest(table, root, task, names, positive, all_known(table), skipped, tuple(ignored))


def _usable_files(data, options, *, named):
    """Root, LabelledFiles that are images, Skipped of the others, and what is ignored altogether."""
    root, rows, skipped, ignored, folders = _rows(data, options, named=named)
    usable, bad = _inspected(rows, root)
    skipped += bad
    if not usable and skipped:
        raise DataError(_nothing_usable(data, skipped))
    check_classes_kept(folders, root, usable, skipped)
    if not usable:
        raise DataError(_nothing_usable(data, skipped))
    if data.is_file():
        check_labels_kept(rows, usable, skipped)
    return root, without_artefacts(usable), skipped, ignored


def load_split(path, manifest, *, label_map=None, normal=None):
    """Read a split file of any run in the classes of a dataset: its labels are treated as those of the dataset.

    Args:
        path: CSV as `manifest.write_split_csv` writes it.
        manifest: Manifest of the dataset; its splits do not count.
        label_map: as given to `load_manifest`; for labels that are no class yet, and for subtypes of such labels.
        normal: as given to `load_manifest`.

    Returns:
        Manifest of the rows of the file.

    Raises:
        DataError: as for `manifest.read_split_csv`, or a label fits no class.
    """
    classes, known = manifest.classes, {name.casefold() for name in manifest.classes}

    def named(cells, where):
        row = LabelledFile(
            file=cells["path"],
            label=cells["label"],
            patient_id=cells["patient_id"],
            split=cells["split"],
            where=where,
            subtype=cells["subtype"],
        )
        if row.label.casefold() not in known:
            row = renamed(row, label_map, finer=normal is not None)
        if row.label.casefold() not in known and row.subtype.casefold() not in known:
            row = replace(row, subtype=renamed(replace(row, label=row.subtype), label_map).label)
        if normal is not None and manifest.positive == ABNORMAL:
            row = merge(row, *classes)
        label, subtype = resolve(row, classes, manifest.task)
        return label or row.label, subtype

    return read_split_csv(
        path, root=manifest.root, task=manifest.task, classes=classes, positive=manifest.positive, named=named
    )


def _rows(data, options, *, named):
    """(root, rows, skipped, ignored, class folders) of a folder, a CSV or a MedMNIST file."""
    _check_place(data)
    if is_array_file(data):
        _check_no_columns(data, options, "a file of arrays")
        return *array_rows(data), [], [], []
    if data.is_file():
        check_is_table(data)
        return *csv_rows(data, options), []
    _check_no_columns(data, options, "a folder")
    return folder_rows(data, named=named)


def _check_place(data):
    """Refuse a path that leads to no folder and no regular file."""
    reason, name = why_no_place(data), shortened(path_text(data))
    if reason == NOTHING and not is_named_like_file(data):
        raise DataError(f"{name} {reason}. {remedy(data)}")
    if reason:
        raise DataError(f"{name} {reason}. Pass a folder with one folder per class, a CSV or a MedMNIST file.")


def _check_no_columns(data, options, what):
    given = [name for name, value in vars(options).items() if value is not None]
    if given:
        raise ConfigError(f"--{given[0].replace('_', '-')} is for a CSV. {data} is {what}. Leave it out.")


def _check_single_findings(rows, classes):
    """Refuse labels that join several findings, where nothing says which one counts."""
    joined = [row for row in rows if joins_findings(row.label) and row.label not in (classes or ())]
    if joined:
        raise DataError(
            f"Label {joined[0].label!r} ({joined[0].where or joined[0].file}) joins several findings. "
            "Say with --positive-finding NAME which of them counts, or rename the labels with --label-map."
        )


def _inspected(rows, root):
    """Rows whose header is that of a usable image (a DICOM's patient key filled in), and the others as Skipped."""

    def look(row):
        try:
            info = images.identify(root / row.file)
            if info.format == "DICOM" and not row.patient_id:
                return replace(row, patient_id=images.dicom_patient_key(root / row.file) or "")
            return row
        except ImageError as error:
            return Skipped(row.file, f"{error} ({row.where})" if row.where else str(error))

    with ThreadPoolExecutor(_THREADS) as pool:
        looked = list(progress.each(pool.map(look, rows), len(rows), "Headers"))
    usable = [item for item in looked if isinstance(item, LabelledFile)]
    return usable, [item for item in looked if isinstance(item, Skipped)]


def _entries(rows, names, *, task, from_kermany):
    """(manifest rows, Skipped of rows that have no class in this task)."""
    entries, unnamed = [], []
    for row in rows:
        label, subtype = resolve(row, names, task)
        if label is None:
            unnamed.append(Skipped(row.file, "its name does not say bacteria or virus"))
            continue
        patient = row.patient_id or (kermany.patient_id(PurePosixPath(row.file).stem) if from_kermany else "")
        patient = patient or public_releases.patient_id(row.file)
        entries.append((row.file, label, subtype, patient, row.split))
    return entries, unnamed


def _nothing_usable(data, skipped):
    first = f" The first of {len(skipped)} files: {skipped[0].path}: {skipped[0].reason}." if skipped else ""
    return f"No usable images in {data}.{first} {remedy(data) if data.is_dir() else 'Check the paths in it.'}"
