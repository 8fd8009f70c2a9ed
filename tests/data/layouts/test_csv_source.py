import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.errors import ConfigError, DataError

COLUMNS = {"path_col": "file", "label_col": "finding"}


@pytest.fixture
def table(make_tree, tmp_path):
    """Function (rows) that writes labels.csv beside pictures x0.png ... x5.png."""
    make_tree(*(f"images/x{n}.png" for n in range(6)))

    def write(*rows, header="file,finding,child,part", encoding="utf-8"):
        path = tmp_path / "labels.csv"
        path.write_bytes("\n".join([header, *rows]).encode(encoding))
        return path

    return write


def good_rows():
    return [
        f"images/x{n}.png,{'Normal' if n % 2 else 'Pneumonia'},c{n // 2},{'training' if n < 4 else 'valid'}"
        for n in range(6)
    ]


def test_csv_gives_labels_patients_and_splits(table):
    manifest = load_manifest(table(*good_rows()), patient_col="child", split_col="part", **COLUMNS)
    assert (manifest.task, manifest.classes) == ("pneumonia", ("NORMAL", "PNEUMONIA"))
    assert manifest.labels().tolist() == [1, 0, 1, 0, 1, 0]
    assert manifest.table["patient_id"].tolist() == ["c0", "c0", "c1", "c1", "c2", "c2"]
    assert manifest.table["split"].tolist() == ["train"] * 4 + ["val"] * 2
    assert manifest.grouped


def test_without_a_patient_column_patients_are_unknown(table):
    manifest = load_manifest(table(*good_rows()), **COLUMNS)
    assert not manifest.grouped
    assert len(set(manifest.patients())) == 6


def test_byte_order_mark_blanks_and_empty_lines_do_no_harm(table):
    rows = good_rows()
    rows.insert(2, "")
    rows[0] = " images/x0.png , Pneumonia ,c0,train"
    manifest = load_manifest(table(*rows, encoding="utf-8-sig"), **COLUMNS)
    assert len(manifest) == 6


def test_typo_in_a_label_names_the_row_and_the_remedy(table):
    rows = [f"images/x{n}.png,{label},c,train" for n, label in enumerate(["Normal", "Pneumonia", "Normal", "maybe"])]
    message = (
        r"Label must be one of NORMAL, PNEUMONIA. Received 'maybe' \(labels.csv row 5\). "
        r"Fix the row or pass --label-map."
    )
    with pytest.raises(DataError, match=message):
        load_manifest(table(*rows), **COLUMNS)
    fixed = load_manifest(table(*rows), label_map={"maybe": "PNEUMONIA"}, **COLUMNS)
    assert fixed.labels().tolist() == [0, 1, 0, 1]


def test_typo_suggests_the_nearest_class(table):
    rows = [*good_rows()[:4], "images/x4.png,Pnuemonia,c,train"]
    with pytest.raises(DataError, match=r"Received 'Pnuemonia' \(labels.csv row 6\). Did you mean PNEUMONIA\?"):
        load_manifest(table(*rows), **COLUMNS)


def test_a_third_label_with_enough_rows_is_a_class(make_tree, tmp_path):
    labels = ["Normal", "Pneumonia"] + ["Covid"] * 8
    make_tree(*(f"x{n}.png" for n in range(len(labels))))
    (tmp_path / "labels.csv").write_text(
        "\n".join(["file,finding", *(f"x{n}.png,{name}" for n, name in enumerate(labels))])
    )
    assert load_manifest(tmp_path / "labels.csv", **COLUMNS).classes == ("Covid", "Normal", "Pneumonia")


def test_numeric_labels_know_which_is_healthy(table):
    manifest = load_manifest(table(*(f"images/x{n}.png,{n % 2},c,train" for n in range(4))), **COLUMNS)
    assert (manifest.task, manifest.classes, manifest.positive) == ("folders", ("0", "1"), "1")


def test_wrong_column_names_those_there_are_and_the_nearest(table):
    path = table(*good_rows())
    message = (
        r"no column 'findings' \(labels.csv, --label-col\). Its columns: file, finding, child, part. "
        r"Did you mean 'finding'"
    )
    with pytest.raises(DataError, match=message):
        load_manifest(path, path_col="file", label_col="findings")
    with pytest.raises(ConfigError, match="labels.csv needs --path-col and --label-col. Its columns: file, finding"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("images/x9.png,Normal,c,dev1", r"Split must be one of train, val, test. Received 'dev1' \(labels.csv row 8\)"),
        (",Normal,c,train", r"Expected an image path. Received '' \(labels.csv row 8\)"),
        ("./images/x1.png,Normal,c,train", r"listed twice \(labels.csv row 8 and row 3\)"),
        ("images/x0.png,Normal,c", r"Expected 4 cells. Received 3 \(labels.csv row 8\)"),
        ("images/x0.png,Normal,c,train,extra", r"Expected 4 cells. Received 5 \(labels.csv row 8\)"),
        ('images/x0.png,"Nor\nmal",c,train', r"Expected a label. Received 'Nor\\nmal' \(labels.csv row 8\)"),
    ],
)
def test_a_bad_row_is_named(table, row, message):
    with pytest.raises(DataError, match=message):
        load_manifest(table(*good_rows(), row), patient_col="child", split_col="part", **COLUMNS)


def test_a_missing_file_is_skipped_with_its_row_and_the_folder_that_paths_count_from(table, tmp_path):
    manifest = load_manifest(table(*good_rows(), "images/none.png,Normal,c,train"), **COLUMNS)
    assert len(manifest) == 6
    assert manifest.skipped[0].path == "images/none.png"
    where = f"there is no such file below {tmp_path}, the folder that paths count from (labels.csv row 8)"
    assert manifest.skipped[0].reason == where


def test_an_unreadable_file_is_skipped_with_its_row(table, tmp_path):
    path = table(*good_rows())
    (tmp_path / "images" / "x2.png").write_text("text")
    manifest = load_manifest(path, **COLUMNS)
    assert (
        manifest.skipped[0].reason
        == "not an image (PNG, JPEG, BMP, TIFF, DICOM, WebP, GIF, JPEG 2000 or AVIF) (labels.csv row 4)"
    )


def test_a_very_long_path_is_a_missing_file(table):
    manifest = load_manifest(table(*good_rows(), f"{'x' * 5000}.png,Normal,c,train"), **COLUMNS)
    assert "no such file" in manifest.skipped[0].reason
    assert manifest.skipped[0].path == f"{'x' * 80}... (5004 characters)"


def test_only_missing_files_are_an_error(table):
    message = r"No usable images .*images/a.png: there is no such file .*\(labels.csv row 2\)"
    with pytest.raises(DataError, match=message):
        load_manifest(table("images/a.png,Normal,c,train"), **COLUMNS)


def test_paths_may_leave_the_folder(table, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    table(*good_rows()).rename(folder / "labels.csv")
    text = (folder / "labels.csv").read_text().replace("images/", "../images/")
    (folder / "labels.csv").write_text(text)
    manifest = load_manifest(folder / "labels.csv", **COLUMNS)
    assert manifest.files()[0] == tmp_path / "images" / "x0.png"
    assert manifest.table["path"][0] == (tmp_path / "images" / "x0.png").as_posix()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header line"),
        (b"file,finding\n\xe9.png,Normal\n", "is not a CSV in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is a single image"),
        (b"file,file\na,b\n", "two columns 'file'"),
        (b'file,finding\n"open,Normal\n', r"is not a well-formed CSV: .* \(row 2\). A quotation mark may be missing"),
    ],
)
def test_what_is_no_csv_is_refused(tmp_path, content, message):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_manifest(tmp_path / "labels.csv", **COLUMNS)
