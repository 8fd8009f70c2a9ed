"""Paths that people pass as a dataset and that are none: archives, arrays, workbooks, images, pipes. No TensorFlow."""

import errno
import os
import stat
import zipfile

from medxray.data.layouts.pictures import is_named_like_picture, is_packed, is_text, looks_like_picture
from medxray.errors import DataError

_BINARY_TABLES = (b"\x89HDF", b"PAR1", b"ARROW1", b"ORC", b"SQLite format 3")
_OTHERS = (  # beginnings of files, and what these are
    (b"%PDF", "a PDF file"),
    (b"{\\rtf", "a text of a word processor"),
    (b"<?xml", "an XML file"),
    (b"\x80\x04\x95", "a pickle, which is never loaded"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_ARCHIVES = (
    *(b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),  # Zstandard, LZ4
    *(b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\0"),
)
NOTHING = "does not exist"
_ADDRESSES = ("http:/", "https:/", "ftp:/", "s3:/", "gs:/")  # pathlib.Path leaves one slash
_REASONS = {
    errno.ENOENT: NOTHING,
    errno.ENAMETOOLONG: "is longer than the name of a file may be",
    errno.ENOTDIR: "goes through a file, which is no folder",
    errno.ELOOP: "leads through a link to itself",
}
_HEAD = 512  # bytes, up to the end of a tar header
_TABLE = "pass its sheet saved as CSV, with --path-col and --label-col"
_ARRAY = "write its images as PNG files in one folder per class"


def why_no_place(path):
    """Why a path leads to no folder and no regular file, after its name, in words; "" where it leads to one.

    Args:
        path: pathlib.Path.
    """
    text = str(path)
    if text.startswith(_ADDRESSES):
        return "is a web address; download what is there, and name the folder"
    try:
        mode = os.stat(path).st_mode
    except ValueError:
        return "is no possible name of a file"
    except OSError as error:
        if os.path.islink(path):
            return f"is a link to {os.readlink(path)}, where nothing is"
        return _REASONS.get(error.errno, f"cannot be read: {error.strerror}")
    return "" if stat.S_ISDIR(mode) or stat.S_ISREG(mode) else "is a pipe, a socket or a device"


def is_named_like_file(path):
    """True for a name with the extension of a picture, a table, a text or an archive."""
    return is_named_like_picture(path.name) or is_text(path.name) or is_packed(path.name)


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
        return "a file compressed with gzip", "unpack it, and pass what it holds"
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
    if head.startswith(_BINARY_TABLES):
        return "a binary table", "write it as CSV, or its images as PNG files in one folder per class"
    other = next((what for beginning, what in _OTHERS if head.startswith(beginning)), None)
    if other or head[4:8] == b"ftyp" and not looks_like_picture(path):
        return other or "a film", "pass a folder of images, one folder per class, or a CSV of image paths and labels"
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
