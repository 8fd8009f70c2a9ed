"""Tables as spreadsheets of many countries write them."""

import gzip
import os

import pytest

from medxray.data.csv_table import read_rows
from medxray.errors import DataError

PLAIN = "path,label\na.png,NORMAL\nb.png,PNEUMONIA\n"
ROWS = [(2, {"path": "a.png", "label": "NORMAL"}), (3, {"path": "b.png", "label": "PNEUMONIA"})]


@pytest.fixture
def written(tmp_path):
    """Function (content as str or bytes) that writes a table and returns its path."""

    def write(content):
        path = tmp_path / "labels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-8-sig"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        gzip.compress(PLAIN.encode(), mtime=0),
        "path,label,,\na.png,NORMAL,,\nb.png,PNEUMONIA,,\n",
        "path,label\na.png,NORMAL,,\nb.png,PNEUMONIA,\n",
        "path,label,\na.png,NORMAL\nb.png,PNEUMONIA\n",
        ",path,label\n0,a.png,NORMAL\n1,b.png,PNEUMONIA\n",
        'path;label\n"a.png";"NORMAL"\n"b.png";PNEUMONIA\n',
    ],
)
def test_a_table_is_read_whatever_program_wrote_it(written, content):
    assert read_rows(written(content)) == (("path", "label"), ROWS)


def test_a_comma_inside_quotes_of_the_header_is_no_delimiter(written):
    header, rows = read_rows(written('"path, relative, of file";label\nx,1.png;NORMAL\n'))
    assert header == ("path, relative, of file", "label")
    assert rows == [(2, {"path, relative, of file": "x,1.png", "label": "NORMAL"})]


def test_cells_keep_their_outer_blanks_where_that_is_wanted(written):
    _, rows = read_rows(written("path,label\n a.png , NORMAL \n"), as_written=("path",))
    assert rows == [(2, {"path": " a.png ", "label": "NORMAL"})]


@pytest.mark.parametrize("row", ["a.png", "a.png,NORMAL,more"])
def test_a_row_with_too_few_or_too_many_filled_cells_is_named(written, row):
    with pytest.raises(DataError, match=r"Expected 2 cells. Received \d \(labels.csv row 2\)"):
        read_rows(written(f"path,label\n{row}\n"))


@pytest.mark.parametrize(
    "content", [gzip.compress(PLAIN.encode(), mtime=0)[:-12], PLAIN.encode("utf-16")[:-1], b"path\n\xe9"]
)
def test_a_damaged_table_is_no_table(written, content):
    with pytest.raises(DataError, match="is not a CSV in UTF-8"):
        read_rows(written(content))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_forms_of_unicode_are_read(written, encoding):
    assert read_rows(written(PLAIN.encode(encoding))) == (("path", "label"), ROWS)


def test_marks_before_the_first_name_do_not_count(written):
    assert read_rows(written(("\ufeff\u200b" + PLAIN).encode("utf-8-sig")))[1] == ROWS


@pytest.mark.parametrize("above", ["\n\n", ",\n", "sep=,\n", '"sep=,"\r\n'])
def test_rows_above_the_header_are_passed_over_and_counted(written, above):
    names, rows = read_rows(written(above + PLAIN))
    assert names == ("path", "label") and [cells for _, cells in rows] == [cells for _, cells in ROWS]
    assert rows[0][0] == 2 + above.count("\n")


def test_the_mark_of_excel_says_what_sets_the_cells_apart(written):
    assert read_rows(written("sep=|\npath|label\na,b.png|NORMAL\n"))[1] == [(3, {"path": "a,b.png", "label": "NORMAL"})]


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_a_table_that_is_no_regular_file_is_not_waited_for(tmp_path, kind):
    path = tmp_path / "t.csv"
    {"pipe": os.mkfifo, "folder": os.mkdir, "device": lambda place: os.symlink("/dev/zero", place)}[kind](path)
    with pytest.raises(DataError, match="t.csv is no regular file. Expected a CSV"):
        read_rows(path)
