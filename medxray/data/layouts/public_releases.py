"""What paths and columns of public chest X-ray sets say. No TensorFlow."""

import os
import re

from medxray.data.csv_table import read_rows
from medxray.data.layouts.walk import is_junk
from medxray.errors import DataError

_PATIENTS = (
    re.compile(r"(?:^|/)(patient\d{5,})/study\d+/"),  # CheXpert
    re.compile(r"(?:^|/)p\d{2}/(p\d{5,8})/s\d+/"),  # MIMIC-CXR-JPG
    re.compile(r"(?:^|/)(\d{8})_\d{3}\.[^/]+$"),  # NIH ChestX-ray14
    re.compile(r"(?:^|/)((?:CHNCXR|MCUCXR)_\d+)_[01]\.[^/]+$"),  # Shenzhen, Montgomery
)
_TUBERCULOSIS = re.compile(r"(?:CHNCXR|MCUCXR)_\d+_([01])")
_TUBERCULOSIS_LABELS = {"0": "NORMAL", "1": "TUBERCULOSIS"}
_USUAL = {  # option -> names of columns, the surest first
    "--path-col": "image index|path|image_path|image_id|imageid|filename|file_name|file|image|img|dicom_id|patientid|"
    "study_id",
    "--label-col": "finding labels|target|class_name|label|labels|finding|findings|class|diagnosis|pneumonia",
    "--patient-col": "patient id|patientid|patient_id|subject_id|patient",
}
_SEVERAL_FINDINGS = ("finding labels", "class_name", "findings", "labels")
_LISTED = 3
_COLUMNS_UNKNOWN = "its columns:"


def patient_id(path):
    """The patient that a path (POSIX text) of a public set names; "" where it has another form."""
    for pattern in _PATIENTS:
        match = pattern.search(path)
        if match:
            return match[1]
    return ""


def label_in_name(stem):
    """The label in a file name of the Shenzhen and Montgomery sets, "NORMAL" or "TUBERCULOSIS"; else ""."""
    match = _TUBERCULOSIS.fullmatch(stem)
    return _TUBERCULOSIS_LABELS[match[1]] if match else ""


def tables_of(folder):
    """CSV files in a folder, in the folder around it and one level below, list of pathlib.Path."""
    folders = [folder, *sorted(child for child in folder.iterdir() if child.is_dir() and not is_junk(child.name))[:20]]
    suffixes = ("*.csv", "*.csv.gz", "*.tsv")
    found = [file for place in folders for suffix in suffixes for file in sorted(place.glob(suffix))]
    return [file for file in found if os.path.isfile(file)]


def table_advice(folder):
    """The sentence that says which CSV to pass, and how, for a folder whose subfolders are no classes."""
    tables = sorted(tables_of(folder), key=lambda table: _COLUMNS_UNKNOWN in options_for(table))
    if not tables:
        return (
            "What each image shows stands in a CSV of the release, which is not here: pass it with --path-col, "
            f"--label-col and --image-root {folder}."
        )
    return "Pass the CSV: " + ", or ".join(f"{table} {options_for(table)}" for table in tables[:_LISTED]) + "."


def labelling_tables(folder):
    """Those of the CSV files of `tables_of` whose columns have the usual names of paths and labels."""
    return [table for table in tables_of(folder) if _COLUMNS_UNKNOWN not in options_for(table)]


def options_for(table):
    """The options to read a CSV with, as its column names suggest them."""
    try:
        header, _ = read_rows(table)
    except DataError:
        return f"with --path-col and --label-col ({_COLUMNS_UNKNOWN} not readable)"
    known = {name.casefold(): name for name in header}
    given = {}
    for option, names in _USUAL.items():
        found = [known[name] for name in names.split("|") if name in known]
        if found:
            given[option] = found[0]
    if "--path-col" not in given or "--label-col" not in given:
        columns = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
        return f"with --path-col and --label-col ({_COLUMNS_UNKNOWN} {columns})"
    more = " --positive-finding NAME" if given["--label-col"].casefold() in _SEVERAL_FINDINGS else ""
    return "with " + " ".join(f"{option} {_quoted(name)}" for option, name in given.items()) + more


def _quoted(name):
    return f"'{name}'" if " " in name else name
