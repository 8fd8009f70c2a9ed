"""Files that people pass as a dataset and that are none: archives, arrays, workbooks, single images. No TensorFlow."""

import zipfile

from medxray.data.layouts.pictures import is_packed, looks_like_picture
from medxray.errors import DataError

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\0")
_HEAD = 512  # bytes, up to the end of a tar header
_TABLE = "pass its sheet saved as CSV, with --path-col and --label-col"
_ARRAY = "write its images as PNG files in one folder per class"


def check_is_table(path):
    """Raise a DataError that says what a file is, when it is an archive, an array, a workbook or an image.

    Args:
        path: pathlib.Path of a file that is to be read as a CSV.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return  # the reader of the table says why
    what = _kind(path, head)
    if what:
        raise DataError(f"{path} is {what[0]}, not a folder or CSV: {what[1]}.")


def _kind(path, head):
    """(what the file is, what to do), or None for a table."""
    suffix = path.suffix.casefold()
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return _zipped(path)
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar" or path.name.casefold().endswith((".tar.gz", ".tgz")):
        return "an archive", "unpack it, and pass the folder"
    if head.startswith(b"\x1f\x8b") and not path.name.casefold().endswith((".csv.gz", ".tsv.gz", ".txt.gz")):
        return "a file compressed with gzip", "unpack it, and pass the folder"
    if head.startswith(b"\x93NUMPY"):
        return "a NumPy array", _ARRAY
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "an old Excel workbook", _TABLE
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page", "perhaps it is the answer of a download that failed; download the table again"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer", "fetch the table itself with: git lfs pull"
    if suffix in (".json", ".jsonl"):
        return "a JSON file", "write it as CSV, and pass that with --path-col and --label-col"
    if head.startswith((b"\x89HDF", b"PAR1")):
        return "a binary table", "write it as CSV, or its images as PNG files in one folder per class"
    if is_packed(path.name) and suffix != ".gz":
        return "an archive or a file of arrays", "unpack it or write its images as PNG files, and pass the folder"
    if looks_like_picture(path):
        return "a single image", "pass the folder that holds one folder per class; for one image use medxray predict"
    return None


def _zipped(path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook", _TABLE
    if any(name == "content.xml" for name in names):
        return "a workbook", _TABLE
    if names and all(name.endswith(".npy") for name in names):
        return "a NumPy archive of arrays", _ARRAY
    return "a zip archive", "unpack it, and pass the folder"
