import hashlib

import numpy as np
import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.data.manifest import COLUMNS, Skipped, read_split_csv, write_split_csv
from medxray.errors import DataError
from medxray.system.storage import file_sha256

ROWS = [
    ("a.png", "NORMAL", "", "p1", "train"),
    ("b.png", "NORMAL", "", "p1", "train"),
    ("c.png", "PNEUMONIA", "viral", "p2", "train"),
    ("d.png", "PNEUMONIA", "bacterial", "", "test"),
]
KERMANY = [f"train/NORMAL/IM-{n:04d}-0001.png" for n in range(3)]
KERMANY += [f"train/PNEUMONIA/person{n}_virus_{n}.png" for n in range(3)]


def read_back(path, manifest):
    return read_split_csv(
        path, root=manifest.root, task=manifest.task, classes=manifest.classes, positive=manifest.positive
    )


def test_labels_are_indices_into_classes(make_manifest):
    assert make_manifest(ROWS).labels().tolist() == [0, 0, 1, 1]
    assert make_manifest(ROWS).labels().dtype == np.int64


def test_unknown_patient_is_a_patient_of_its_own(make_manifest):
    rows = [*ROWS, ("e.png", "PNEUMONIA", "", "", "test")]
    patients = make_manifest(rows).patients()
    assert len(set(patients)) == 4
    assert patients[3] != patients[4]
    assert not make_manifest(rows).grouped


def test_counts_images_and_patients_of_each_cell(make_manifest):
    cells = make_manifest(ROWS).counts().to_dict("records")
    assert cells == [
        {"split": "train", "label": "NORMAL", "images": 2, "patients": 1},
        {"split": "train", "label": "PNEUMONIA", "images": 1, "patients": 1},
        {"split": "test", "label": "NORMAL", "images": 0, "patients": 0},
        {"split": "test", "label": "PNEUMONIA", "images": 1, "patients": 1},
    ]


def test_subset_and_where_keep_order_and_renumber(make_manifest):
    manifest = make_manifest(ROWS)
    assert manifest.subset("train").table["path"].tolist() == ["a.png", "b.png", "c.png"]
    chosen = manifest.where([False, True, False, True])
    assert chosen.table.index.tolist() == [0, 1]
    assert [file.name for file in chosen.files()] == ["b.png", "d.png"]


def test_unknown_split_is_refused(make_manifest):
    with pytest.raises(DataError, match="Split must be one of train, val, test. Received 'dev'"):
        make_manifest(ROWS).subset("dev")


def test_without_drops_the_rows_and_remembers_the_reason(make_manifest):
    manifest = make_manifest(ROWS)
    absolute = str(manifest.root / "d.png")
    smaller = manifest.without([Skipped("b.png", "truncated"), Skipped(absolute, "empty")])
    assert smaller.table["path"].tolist() == ["a.png", "c.png"]
    assert smaller.skipped == (Skipped("b.png", "truncated"), Skipped("d.png", "empty"))


def test_content_digests_are_those_of_the_bytes_and_follow_the_rows(make_tree):
    manifest = load_manifest(make_tree(*KERMANY))
    expected = [hashlib.sha256(file.read_bytes()).hexdigest() for file in manifest.files()]
    assert list(manifest.content_digests()) == expected
    mask = np.arange(len(manifest)) % 2 == 1
    assert list(manifest.where(mask).content_digests()) == expected[1::2]


def test_a_file_is_read_once_for_a_manifest_and_its_parts(make_tree, monkeypatch):
    manifest = load_manifest(make_tree(*KERMANY))
    read = []
    monkeypatch.setattr("medxray.system.storage.file_sha256", lambda path: read.append(path) or file_sha256(path))
    part = manifest.where(np.arange(6) % 2 == 0)
    assert part.content_digests() == manifest.content_digests()[::2]
    manifest.without([Skipped(manifest.table["path"][0], "x")]).content_digests()
    assert sorted(read) == sorted(manifest.files())


def test_content_digests_name_a_file_that_vanished(make_tree):
    manifest = load_manifest(make_tree(*KERMANY))
    manifest.files()[2].unlink()
    with pytest.raises(DataError, match="IM-0002-0001.png: No such file"):
        manifest.content_digests()


def test_digest_is_equal_for_the_same_tree_elsewhere_and_changes_with_the_split(make_tree, tmp_path):
    here = load_manifest(make_tree(*KERMANY))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "train").rename(tmp_path / "elsewhere" / "train")
    there = load_manifest(tmp_path / "elsewhere")
    assert here.root != there.root
    assert here.digest() == there.digest()
    moved = there.table.assign(split=["val"] + ["train"] * 5)
    assert type(there)(moved, there.root, there.task, there.classes, there.positive, True).digest() != there.digest()


def test_split_csv_comes_back_as_it_was_written(make_tree, tmp_path):
    manifest = load_manifest(make_tree(*KERMANY))
    write_split_csv(manifest, tmp_path / "split.csv")
    header = (tmp_path / "split.csv").read_text().splitlines()[0]
    assert tuple(header.split(",")) == COLUMNS
    again = read_back(tmp_path / "split.csv", manifest)
    assert again.table.equals(manifest.table)
    assert again.digest() == manifest.digest()
    assert again.grouped


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NORMAL,,IM-0001,train", "NORMALE,,IM-0001,train", r"PNEUMONIA. Received 'NORMALE' \(split.csv row 3\)"),
        ("NORMAL,,IM-0001,train", "NORMAL,,IM-0001,dev", r"val, test. Received 'dev' \(split.csv row 3\)"),
        ("IM-0001-0001.png,", "IM-0001-0009.png,", r"There is no file 'train/NORMAL/IM-0001-0009.png' .*row 3"),
        ("IM-0001-0001.png,", "IM-0000-0001.png,", r"listed twice \(split.csv row 3 and row 2\)"),
        ("subtype", "kind", r"There is no column 'subtype' \(split.csv\). Its columns: path, label, kind"),
    ],
)
def test_split_csv_with_a_mistake_names_the_row(make_tree, tmp_path, old, new, message):
    manifest = load_manifest(make_tree(*KERMANY))
    write_split_csv(manifest, tmp_path / "split.csv")
    text = (tmp_path / "split.csv").read_text()
    assert old in text
    (tmp_path / "split.csv").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=message):
        read_back(tmp_path / "split.csv", manifest)


def test_split_csv_without_rows_or_file_is_refused(make_manifest, tmp_path):
    manifest = make_manifest(ROWS)
    (tmp_path / "split.csv").write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(DataError, match="lists no images"):
        read_back(tmp_path / "split.csv", manifest)
    with pytest.raises(DataError, match="none.csv: No such file"):
        read_back(tmp_path / "none.csv", manifest)


def test_split_csv_takes_files_outside_the_root_by_absolute_path(make_manifest, write_image, tmp_path):
    write_image(tmp_path / "far" / "x.png")
    manifest = make_manifest([(str(tmp_path / "far" / "x.png"), "NORMAL", "", "p", "train")])
    write_split_csv(manifest, tmp_path / "split.csv")
    again = read_split_csv(
        tmp_path / "split.csv", root=tmp_path / "near", task="pneumonia", classes=manifest.classes, positive="PNEUMONIA"
    )
    assert again.files() == [tmp_path / "far" / "x.png"]
