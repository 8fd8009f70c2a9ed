"""Tables as people have them: cells set apart by |, marks for blanks, truth values, formulas, cells of any length."""

import time

import pytest

from medxray.data.csv_table import read_rows
from medxray.data.layouts.sources import load_manifest
from medxray.errors import ConfigError, DataError

COLUMNS = {"path_col": "file", "label_col": "finding"}


@pytest.fixture
def table(make_tree, tmp_path):
    """Function (*rows) that writes labels.csv beside pictures x0.png ... x5.png and `a b.png`."""
    make_tree(*(f"x{n}.png" for n in range(6)), "a b.png", "ü.png", "c%20d.png")

    def write(*rows, header="file,finding"):
        path = tmp_path / "labels.csv"
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
        return path

    return write


def labelled(*labels):
    return [f"x{n}.png,{label}" for n, label in enumerate(labels)]


def counts(manifest):
    return manifest.table["label"].value_counts().to_dict()


def test_cells_set_apart_by_a_vertical_line_are_read(table):
    path = table("x0.png|Normal", "x1.png|Pneumonia", header="file|finding")
    assert load_manifest(path, **COLUMNS).labels().tolist() == [0, 1]


def test_a_vertical_line_in_a_header_with_commas_is_text(table):
    assert read_rows(table("x0.png,Normal", header="file,a|b|c"))[0] == ("file", "a|b|c")


@pytest.mark.parametrize("blank", ["?", "-", "--", ".", "NaT", "#VALUE!", "#REF!", "(blank)", "\\N", "nil", "missing"])
def test_marks_for_blanks_are_no_class(table, blank):
    manifest = load_manifest(table(*labelled("sick", "healthy", blank)), **COLUMNS)
    assert manifest.classes == ("healthy", "sick")
    assert [item.reason for item in manifest.ignored] == ["1 row without a label left out (first: labels.csv row 4)"]


def test_a_minus_beside_a_plus_is_a_label(table):
    manifest = load_manifest(table(*labelled("+", "-", "+")), positive="+", **COLUMNS)
    assert counts(manifest) == {"+": 2, "-": 1}


def test_truth_values_beside_numbers_are_the_same_labels(table):
    manifest = load_manifest(table(*labelled("1", "0", "True", "FALSE", "1.0", '"0,0"')), **COLUMNS)
    assert counts(manifest) == {"1": 3, "0": 3}


@pytest.mark.parametrize("label_map", [{"1": "PNEUMONIA", "0": "NORMAL"}, {"True": "PNEUMONIA", "0.0": "NORMAL"}])
def test_a_label_map_knows_numbers_by_their_value(table, label_map):
    path = table(*labelled("1.0", "0", "true"))
    assert load_manifest(path, label_map=label_map, **COLUMNS).labels().tolist() == [1, 0, 1]


def test_a_typographic_minus_makes_a_label_uncertain(table):
    with pytest.raises(DataError, match="1 rows of labels.csv have the label -1"):
        load_manifest(table(*labelled("1", "0", "\u22121")), **COLUMNS)


@pytest.mark.parametrize("nobody", ["-", "None", "unknown", "ANONYMIZED", "?"])
def test_a_mark_for_an_unknown_patient_is_no_patient(table, nobody):
    path = table(f"x0.png,Normal,{nobody}", f"x1.png,Pneumonia,{nobody}", header="file,finding,child")
    assert load_manifest(path, patient_col="child", **COLUMNS).table["patient_id"].tolist() == ["", ""]


def test_a_split_column_may_hold_marks_for_blanks_and_validate(table):
    path = table("x0.png,Normal,nan", "x1.png,Pneumonia,validate", header="file,finding,part")
    assert load_manifest(path, split_col="part", **COLUMNS).table["split"].tolist() == ["", "val"]


@pytest.mark.parametrize("cell", ["a%20b.png", "%C3%BC.png", "elsewhere/a%20b.png", "c%20d.png"])
def test_names_written_as_in_an_address_are_found(table, cell):
    manifest = load_manifest(table(f"{cell},Normal", "x1.png,Pneumonia"), **COLUMNS)
    assert (len(manifest), manifest.skipped) == (2, ())


def test_a_formula_is_no_label(table):
    with pytest.raises(DataError, match=r"Received the formula '=cmd\(\)' \(labels.csv row 2\). Save the table"):
        load_manifest(table(*labelled("=cmd()", "Normal")), **COLUMNS)


def test_findings_joined_by_a_semicolon_are_no_class(table):
    with pytest.raises(DataError, match=r"'Mass;Effusion' \(labels.csv row 2\) joins several findings"):
        load_manifest(table(*labelled("Mass;Effusion", "No Finding")), **COLUMNS)


@pytest.mark.parametrize("finding", ["", " ", "Mass|Effusion"])
def test_a_positive_finding_is_one_finding(table, finding):
    with pytest.raises(ConfigError, match="--positive-finding names one finding"):
        load_manifest(table(*labelled("Mass|Effusion", "No Finding")), positive_finding=finding, **COLUMNS)


@pytest.mark.parametrize("finding", ["1", "1.0", "True"])
def test_a_number_as_positive_finding_is_a_number(table, finding):
    path = table(*labelled("1.0", "0.0", "10", "0.0"), "x0.png,0.0")
    manifest = load_manifest(path, positive_finding=finding, **COLUMNS)
    assert (manifest.classes, counts(manifest)) == (("No 1.0", "1.0"), {"1.0": 1, "No 1.0": 3})


def test_paths_are_no_labels(table):
    with pytest.raises(ConfigError, match="--path-col and --label-col both name 'file'"):
        load_manifest(table(*labelled("Normal", "Pneumonia")), path_col="file", label_col="file")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"x0.png,{'x' * 1000}", r"Expected a label. Received 'x{80}\.\.\. \(1000 characters\)' \(labels.csv row 2\)"),
        (f"x0.png,{'x' * 200_000}", r"not a well-formed CSV: field larger than field limit \(131072\) \(row 2\)"),
    ],
)
def test_a_cell_that_is_too_long_is_told_in_short(table, row, message):
    with pytest.raises(DataError, match=message) as caught:
        load_manifest(table(row, "x1.png,Pneumonia"), **COLUMNS)
    assert len(str(caught.value)) < 500


def test_many_columns_are_told_in_short_and_at_once(table):
    path = table(header=",".join(["file", "finding", *(f"c{n}" for n in range(20_000))]))
    start = time.monotonic()
    with pytest.raises(DataError, match=r"c17, \.\.\. \(20002 columns\). Did you mean 'file'") as caught:
        load_manifest(path, path_col="fil", label_col="finding")
    assert len(str(caught.value)) < 500
    assert time.monotonic() - start < 3


def test_latin_letters_in_another_encoding_are_told_with_their_line(table, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes("file,finding\nx0.png,Normal\nx1.png,Entzündung\n".encode("latin-1"))
    with pytest.raises(DataError, match="byte 0xfc in line 3 is none of UTF-8, so the table is in another encoding"):
        load_manifest(path, **COLUMNS)


def test_a_text_without_columns_is_told_to_be_no_table(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nworld\n")
    with pytest.raises(DataError, match="is no table of images: its first line has one column, 'hello'. Pass a folder"):
        load_manifest(tmp_path / "notes.txt")
