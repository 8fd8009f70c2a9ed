"""CSV files as rows of text with the row numbers that a spreadsheet shows. No TensorFlow."""

import codecs
import csv
import difflib
import gzip
import io
import os
import re
import zlib
from collections import Counter
from pathlib import Path

from medxray.errors import DataError

HEADER_ROW = 1
_DELIMITERS, _LAST = ",;\t", "|"
_SHOWN, _LONGEST_SHOWN = 20, 80  # columns in a message, characters of a text in it
_MOST_COMPARED = 1000  # columns, to guess which one was meant
_GZIP = b"\x1f\x8b"
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_MARKS = "\ufeff\u200b\u2060"  # not seen, and left by programs at the beginning of a text
_BLANKS = ' \t\r\n,;"'
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_rows(path, *, as_written=()):
    """Read a table of text with a header line: cells set apart by commas, semicolons, tabs or |, in UTF-8 or UTF-16.

    The header line tells which character sets the cells apart. Columns without a name are left out. The file may be
    compressed with gzip.

    Args:
        path: the file.
        as_written: names of columns whose cells keep their outer blanks.

    Returns:
        (column names, list of (row number, dict column -> text without outer blanks)); the header is row 1 and
        blank rows are left out.

    Raises:
        DataError: the file is missing, no regular file, empty, not UTF-8 or UTF-16, a quotation mark is not closed, or
            a row does not have as many cells as the header.
    """
    path = Path(path)
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for, a device has no end
        raise DataError(f"{path} is no regular file. Expected a CSV.")
    try:
        text = _text(path.read_bytes())
        records, above = _records(text, path)
    except OSError as error:
        raise DataError(f"Could not read {path}: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a CSV in UTF-8: {_undecoded(error)}. Save it as one.") from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path} is not a CSV in UTF-8: {error}. Save it as one.") from error
    if not records or not any(cell.strip() for cell in records[0]):
        raise DataError(f"{path} has no header line. Expected a CSV whose first row names the columns.")
    if any("\0" in name for name in records[0]):
        raise DataError(f"{path} is not a CSV in UTF-8: its first line holds binary data. Save it as one.")
    header = [name.strip().strip(_MARKS).strip() for name in records[0]]
    named = [name for name in header if name]
    twice = sorted(name for name, count in Counter(named).items() if count > 1)
    if twice:
        raise DataError(f"{path.name} has two columns {twice[0]!r}. Rename one of them.")
    return tuple(named), [
        (number, _cells(record, header, as_written, where=f"{path.name} row {number}"))
        for number, record in enumerate(records[1:], start=HEADER_ROW + above + 1)
        if any(cell.strip() for cell in record)
    ]


def _text(content):
    if content.startswith(_GZIP):
        content = gzip.decompress(content)
    if content.startswith(_UTF32):
        return content.decode("utf-32")
    if content.startswith(_UTF16):
        return content.decode("utf-16")
    if b"\0" in content[:2]:  # UTF-16 without a mark: every other byte of Latin text is 0
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    return content.decode("utf-8-sig")


def _undecoded(error):
    """Where the text is not UTF-8, in words."""
    if error.encoding != "utf-8":
        return f"it begins as {error.encoding.upper()}, but is damaged"
    row = HEADER_ROW + error.object.count(b"\n", 0, error.start)
    return (
        f"byte {error.object[error.start]:#04x} in line {row} is none of UTF-8, so the table is in another "
        "encoding, such as Latin-1 or Windows-1252 (in Excel choose CSV UTF-8)"
    )


def _records(text, name):
    """(cells of each row from the header on, number of rows above it): blank ones, and the mark sep=; of Excel."""
    lines = text.splitlines(keepends=True)
    above = next((number for number, line in enumerate(lines) if line.strip(_BLANKS)), 0)
    mark = re.fullmatch(r'"?sep=(.)"?\s*', lines[above]) if lines else None
    above += mark is not None
    text = "".join(lines[above:])
    delimiter = mark[1] if mark else _delimiter(text)
    records = []
    try:
        records.extend(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        row = HEADER_ROW + above + len(records)
        raise DataError(
            f"{name} is not a well-formed CSV: {error} (row {row}). A quotation mark may be missing or too many: "
            "correct the row, or save the table again."
        ) from error
    return records, above


def _delimiter(text):
    """The one of the delimiters that the header line has most often outside quotes; | where it has no other one."""
    line = text.lstrip("\r\n").split("\n", 1)[0].split("\r", 1)[0]
    outside = "".join(line.split('"')[::2])
    best = max(_DELIMITERS, key=outside.count)
    return _LAST if best not in outside and _LAST in outside else best


def _cells(record, header, as_written, *, where):
    """Named cells of a row; empty cells beyond the header, and missing ones of columns without a name, do no harm."""
    width = len(header)
    if any(cell.strip() for cell in record[width:]) or any(header[len(record) :]):
        raise DataError(f"Expected {width} cells. Received {len(record)} ({where}). Fix or quote the row.")
    pairs = zip(header, record, strict=False)
    return {name: cell if name in as_written else cell.strip() for name, cell in pairs if name}


def check_column(name, columns, *, where):
    """Raise a DataError that names the columns there are and the nearest, when `name` is not among them.

    Args:
        name: the column wanted.
        columns: the columns there are.
        where: file and option, for the message.
    """
    if name in columns:
        return
    near = difflib.get_close_matches(name, list(columns)[:_MOST_COMPARED], n=1, cutoff=0.5)
    guess = f" Did you mean {shortened(near[0])!r}?" if near else ""
    raise DataError(f"There is no column {name!r} ({where}). Its columns: {column_list(columns)}.{guess}")


def column_list(columns):
    """Names of columns in one line of a message, the first of many."""
    more = f", ... ({len(columns)} columns)" if len(columns) > _SHOWN else ""
    return ", ".join(map(shortened, list(columns)[:_SHOWN])) + more


def shortened(text):
    """A text from a table as a message shows it: no longer than 80 characters."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text)} characters)"
