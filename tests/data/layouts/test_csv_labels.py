"""Labels of tables: blank, uncertain, several findings in one, several rows of one image."""

import pytest

from medxray.data.layouts.csv_labels import read_labels
from medxray.data.layouts.labels import LabelledFile
from medxray.data.layouts.sources import load_manifest
from medxray.errors import ConfigError, DataError

COLUMNS = {"path_col": "file", "label_col": "finding"}


def rows_of(*labels):
    return [LabelledFile(f"{n}.png", label, "", "", f"t.csv row {n + 2}") for n, label in enumerate(labels)]


def labels_of(rows):
    return [row.label for row in rows]


@pytest.fixture
def table(make_tree, tmp_path):
    """Function (rows) that writes a table beside the pictures 0.png ... 5.png and returns its path."""
    make_tree(*(f"{n}.png" for n in range(6)))

    def write(*rows):
        (tmp_path / "t.csv").write_text("\n".join(["file,finding,patient", *rows]), encoding="utf-8")
        return tmp_path / "t.csv"

    return write


@pytest.mark.parametrize("blank", ["", "nan", "NaN", "NULL", "N/A", "NA", "#N/A"])
def test_rows_without_a_label_are_left_out_and_counted(blank):
    rows, left_out = read_labels(rows_of("A", blank, "B", blank), "t.csv")
    assert labels_of(rows) == ["A", "B"]
    assert [item.reason for item in left_out] == ["2 rows without a label left out (first: t.csv row 3)"]


def test_spellings_of_one_number_are_one_label():
    rows, _ = read_labels(rows_of("1", "0.0", "1.0", "0", "2", "a", "1.5"), "t.csv")
    assert labels_of(rows) == ["1", "0.0", "1", "0.0", "2", "a", "1.5"]


def test_numbers_are_those_of_a_model_however_they_are_spelt(table):
    manifest = load_manifest(table("0.png,0,", "1.png,1,"), classes=("0.0", "1.0"), **COLUMNS)
    assert manifest.table["label"].tolist() == ["0.0", "1.0"]


def test_a_table_of_which_no_row_is_left_says_why(table):
    with pytest.raises(DataError, match=r"No row of .*t.csv is left: 2 rows without a label left out \(first"):
        load_manifest(table("0.png,,", "1.png,nan,"), **COLUMNS)


def test_a_column_that_does_not_name_classes_is_refused(table):
    rows = [f"{n % 6}.png,{n} 2 1015 8," for n in range(30)]
    with pytest.raises(DataError, match="has 30 labels in 30 rows, such as '0 2 1015 8': it does not name classes"):
        load_manifest(table(*rows), **COLUMNS)


@pytest.mark.parametrize("joined", ["Effusion|Mass", "\"['Effusion', 'Mass']\"", "Chest/Effusion", "Effusion;Mass"])
def test_a_finding_is_found_among_others(table, joined):
    manifest = load_manifest(table(f"0.png,{joined},", "1.png,Mass,"), positive_finding="Effusion", **COLUMNS)
    assert manifest.labels().tolist() == [1, 0]


def test_a_list_of_findings_asks_which_one_counts(table):
    with pytest.raises(DataError, match="joins several findings. Say with --positive-finding NAME"):
        load_manifest(table("0.png,['normal'],", "1.png,['mass'],"), **COLUMNS)


@pytest.mark.parametrize("blank", ["nan", "NULL", " "])
def test_blank_cells_of_patients_name_nobody(table, blank):
    rows = (f"0.png,NORMAL,{blank}", f"1.png,PNEUMONIA,{blank}", "2.png,NORMAL,a")
    manifest = load_manifest(table(*rows), patient_col="patient", **COLUMNS)
    assert manifest.table["patient_id"].tolist() == ["", "", "a"]


def test_rows_without_a_label_are_told_by_the_manifest(table, caplog):
    with caplog.at_level("WARNING", logger="medxray"):
        manifest = load_manifest(table("0.png,NORMAL,", "1.png,,", "2.png,PNEUMONIA,"), **COLUMNS)
    assert len(manifest) == 2 and "t.csv: 1 row without a label left out (first: t.csv row 3)" in caplog.text
    assert [item.path for item in manifest.ignored] == ["t.csv"]


@pytest.mark.parametrize(
    ("uncertain", "expected"),
    [("drop", ["0.0", "1.0"]), ("positive", ["0.0", "1.0", "1.0"]), ("negative", ["0.0", "1.0", "0.0"])],
)
def test_the_uncertain_label_becomes_what_is_wanted(uncertain, expected):
    rows, left_out = read_labels(rows_of("0.0", "1.0", "-1.0"), "t.csv", uncertain=uncertain)
    assert labels_of(rows) == expected
    assert len(left_out) == (uncertain == "drop")


def test_an_uncertain_label_without_a_decision_is_an_error_and_minus_one_elsewhere_is_a_label():
    with pytest.raises(DataError, match=r"1 rows of t.csv have the label -1.*t.csv row 4.*--uncertain drop, positive"):
        read_labels(rows_of("0", "1", "-1"), "t.csv")
    assert labels_of(read_labels(rows_of("2", "-1"), "t.csv")[0]) == ["2", "-1"]
    with pytest.raises(ConfigError, match="--uncertain must be one of drop, positive, negative. Received 'maybe'"):
        read_labels(rows_of("0"), "t.csv", uncertain="maybe")


@pytest.mark.parametrize("joined", ["Mass|Pneumonia", "pneumonia", "['Mass', 'Pneumonia']", "Mass; PNEUMONIA"])
def test_a_positive_finding_counts_whatever_stands_beside_it(joined):
    rows, _ = read_labels(rows_of("Pneumonia", "No Finding", joined, "Mass"), "t.csv", positive_finding="PNEUMONIA")
    assert [label.casefold() for label in labels_of(rows)] == [
        "pneumonia",
        "no pneumonia",
        "pneumonia",
        "no pneumonia",
    ]


def test_a_finding_that_is_nowhere_is_an_error_that_names_the_nearest():
    with pytest.raises(DataError, match="'Pneumona' stands in no row of t.csv. Did you mean 'Pneumonia'"):
        read_labels(rows_of("Pneumonia|Mass", "Mass"), "t.csv", positive_finding="Pneumona")
    with pytest.raises(ConfigError, match="names what counts as sick. Received 'No Finding'"):
        read_labels(rows_of("No Finding", "Mass"), "t.csv", positive_finding="No Finding")


def test_joined_findings_without_a_choice_are_an_error(table):
    rows = ("0.png,No Finding,", "1.png,Mass|Pneumonia,", "2.png,Mass,")
    with pytest.raises(DataError, match=r"'Mass\|Pneumonia' \(t.csv row 3\) joins several findings.*--positive-find"):
        load_manifest(table(*rows), **COLUMNS)
    manifest = load_manifest(table(*rows), positive_finding="mass", **COLUMNS)
    assert (manifest.classes, manifest.labels().tolist()) == (("No Mass", "Mass"), [0, 1, 1])
    assert load_manifest(table(*rows), normal="No Finding", **COLUMNS).classes == ("No Finding", "ABNORMAL")


def test_repeated_rows_of_an_image_are_merged_where_they_agree(table, caplog):
    with caplog.at_level("INFO", logger="medxray"):
        manifest = load_manifest(table("0.png,0,a", "1.png,1,b", "1.png,1,b", "1.png,1,b"), **COLUMNS)
    assert len(manifest) == 2 and "2 rows repeat an image and are merged" in caplog.text


def test_repeated_rows_that_disagree_are_an_error_unless_one_finding_counts(table):
    rows = ("0.png,No finding,a", "1.png,Mass,b", "1.png,Effusion,b", "1.png,Mass,b")
    with pytest.raises(DataError, match=r"1.png is listed twice \(t.csv row 4 and row 3\), as Effusion and as Mass"):
        load_manifest(table(*rows), **COLUMNS)
    manifest = load_manifest(table(*rows), positive_finding="Effusion", **COLUMNS)
    assert manifest.labels().tolist() == [0, 1]
    with pytest.raises(DataError, match=r"listed twice \(t.csv row 3 and row 2\), with another patient"):
        load_manifest(table("0.png,A,p", "0.png,A,q", "1.png,B,r"), patient_col="patient", **COLUMNS)


def test_a_label_without_a_readable_image_stops_with_its_name(table, tmp_path):
    (tmp_path / "5.png").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 100)
    message = r"None of the 1 images of label COVID can be read \(the first, 5.png: .*\). Convert them to PNG"
    with pytest.raises(DataError, match=message):
        load_manifest(table("0.png,NORMAL,", "1.png,PNEUMONIA,", "5.png,COVID,"), **COLUMNS)


def test_a_label_without_a_file_is_told(table, caplog):
    manifest = load_manifest(table("0.png,NORMAL,", "1.png,PNEUMONIA,", "9.png,COVID,"), **COLUMNS)
    assert manifest.classes == ("NORMAL", "PNEUMONIA")
    assert "none of the images of label COVID is there (1 rows)" in caplog.text


def test_numbers_with_a_point_say_which_one_is_healthy(table):
    manifest = load_manifest(table("0.png,1.0,", "1.png,0.0,"), **COLUMNS)
    assert (manifest.classes, manifest.positive) == (("0.0", "1.0"), "1.0")


def test_a_label_of_another_script_with_joining_marks_is_a_label(table):
    manifest = load_manifest(table("0.png,سالم,", "1.png,ذات\u200cالریه,"), positive="ذات\u200cالریه", **COLUMNS)
    assert manifest.classes == ("سالم", "ذات\u200cالریه")


def test_labels_that_look_the_same_are_the_same(table):
    rows = ("0.png,Pneumoni\u0301a,", "1.png,Pneumon\u00eda\u200b,", "2.png,NO\u00a0FINDING,", "3.png,No finding,")
    assert len(load_manifest(table(*rows), **COLUMNS).classes) == 2
