"""CSV files as rows of text with the row numbers that a spreadsheet shows. No TensorFlow."""

import csv
import difflib

from medxray.errors import DataError

HEADER_ROW = 1


def read_rows(path):
    """Read a CSV in UTF-8 with a header line.

    Args:
        path: the file.

    Returns:
        (column names, list of (row number, dict column -> text without outer blanks)); the header is row 1 and
        blank rows are left out.

    Raises:
        DataError: the file is missing, empty, not UTF-8, or a row does not have as many cells as the header.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            records = [[cell.strip() for cell in record] for record in csv.reader(file, strict=True)]
    except OSError as error:
        raise DataError(f"Could not read {path}: {error.strerror}. Check the path.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV in UTF-8: {error}. Save it as one.") from error
    if not records or not any(records[0]):
        raise DataError(f"{path} has no header line. Expected a CSV whose first row names the columns.")
    header = records[0]
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise DataError(f"{path.name} has two columns {sorted(twice)[0]!r}. Rename one of them.")
    return tuple(header), [
        (number, _cells(record, header, where=f"{path.name} row {number}"))
        for number, record in enumerate(records[1:], start=HEADER_ROW + 1)
        if any(record)
    ]


def _cells(record, header, *, where):
    if len(record) != len(header):
        raise DataError(f"Expected {len(header)} cells. Received {len(record)} ({where}). Fix or quote the row.")
    return dict(zip(header, record, strict=True))


def check_column(name, columns, *, where):
    """Raise a DataError that names the columns there are and the nearest, when `name` is not among them.

    Args:
        name: the column wanted.
        columns: the columns there are.
        where: file and option, for the message.
    """
    if name in columns:
        return
    near = difflib.get_close_matches(name, list(columns), n=1, cutoff=0.5)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    raise DataError(f"There is no column {name!r} ({where}). Its columns: {', '.join(columns)}.{guess}")
