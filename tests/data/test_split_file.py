"""The split file of one run read in the classes of another."""

import pytest

from medxray.data.layouts.labels import ABNORMAL, BY_NAME
from medxray.data.layouts.sources import load_manifest, load_split
from medxray.data.manifest import COLUMNS, write_split_csv
from medxray.data.splits import assign_splits
from medxray.errors import DataError

KERMANY = [f"train/NORMAL/IM-{n:04d}-0001.png" for n in range(4)]
KERMANY += [f"train/PNEUMONIA/person{n}_virus_{n}.png" for n in range(4)]
KERMANY += [f"train/PNEUMONIA/person{n}_bacteria_{n}.png" for n in range(4, 8)]
FOLDERS = [f"{name}/{n}.png" for name in ("covid", "normal", "tb") for n in range(4)]


def rewritten(manifest, folder):
    """Write the manifest as a split file; returns `load_split` of that file."""
    write_split_csv(assign_splits(manifest), folder / "split.csv")

    def read(target, **options):
        return load_split(folder / "split.csv", target, **options)

    return read


def kinds(manifest):
    return sorted(set(zip(manifest.table["label"], manifest.table["subtype"], strict=True)))


def test_the_split_of_three_classes_serves_an_anomaly_run(make_tree, tmp_path):
    data = make_tree(*FOLDERS)
    classes = load_manifest(data)
    read, merged = rewritten(classes, tmp_path), load_manifest(data, normal=BY_NAME)
    found = read(merged, normal=BY_NAME)
    assert kinds(found) == [(ABNORMAL, "covid"), (ABNORMAL, "tb"), ("normal", "")]
    assert found.table[["path", "split"]].equals(assign_splits(classes).table[["path", "split"]])
    assert found.table[["path", "label", "subtype"]].equals(merged.table[["path", "label", "subtype"]])


def test_the_split_of_an_anomaly_run_serves_three_classes(make_tree, tmp_path):
    data = make_tree(*FOLDERS)
    read = rewritten(load_manifest(data, normal=BY_NAME), tmp_path)
    assert kinds(read(load_manifest(data))) == [("covid", ""), ("normal", ""), ("tb", "")]


def test_splits_of_both_pneumonia_tasks_serve_each_other(make_tree, tmp_path):
    data = make_tree(*KERMANY)
    two, three = load_manifest(data), load_manifest(data, task="pneumonia-subtype")
    for normal in (None, BY_NAME):
        found = rewritten(three, tmp_path)(two, normal=normal)
        assert kinds(found) == kinds(two) == [("NORMAL", ""), ("PNEUMONIA", "bacterial"), ("PNEUMONIA", "viral")]
    assert kinds(rewritten(two, tmp_path)(three)) == kinds(three)


def test_a_label_map_reaches_labels_of_the_file_that_are_no_class(make_tree, tmp_path):
    """One file has the labels of the source, the other those after the map."""
    data, given = make_tree(*FOLDERS), {"covid": "ill", "tb": "ill"}
    target = load_manifest(data, label_map=given)
    for source in (load_manifest(data), target):
        assert kinds(rewritten(source, tmp_path)(target, label_map=given)) == [("ill", ""), ("normal", "")]
    with pytest.raises(DataError, match=r"must be one of normal, ill. Received 'covid' \(split.csv row 2\)"):
        rewritten(load_manifest(data), tmp_path)(target)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",tb,", ",Healthy,", r"Label 'Healthy' \(split.csv row 10\) is not the normal class normal, but seems"),
        (",tb,", ",normall,", r"Label 'normall' \(split.csv row 10\) is not the normal class normal, but seems"),
    ],
)
def test_another_name_of_the_normal_class_in_the_file_is_refused(make_tree, tmp_path, old, new, message):
    data = make_tree(*FOLDERS)
    read = rewritten(load_manifest(data), tmp_path)
    text = (tmp_path / "split.csv").read_text()
    (tmp_path / "split.csv").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=message):
        read(load_manifest(data, normal=BY_NAME), normal=BY_NAME)


def test_the_map_may_name_labels_that_only_the_file_has(make_tree, tmp_path):
    data = make_tree(*FOLDERS)
    file, given = tmp_path / "split.csv", {"healthy": "normal"}
    read = rewritten(load_manifest(data), tmp_path)
    file.write_text(file.read_text().replace(",normal,", ",Healthy,"))
    target = load_manifest(data, normal=BY_NAME, label_map=given, split_file=file)
    assert kinds(read(target, normal=BY_NAME, label_map=given)) == kinds(target)
    with pytest.raises(DataError, match="names 'helthy', which is no label here. Labels: Healthy, covid, tb, normal."):
        load_manifest(data, label_map={"helthy": "normal"}, split_file=file)
    with pytest.raises(DataError, match="names 'healthy', which is no label here. Labels: covid, normal, tb."):
        load_manifest(data, label_map=given)


def test_a_label_map_reaches_the_subtypes_of_an_anomaly_run(make_tree, tmp_path):
    data, given = make_tree(*FOLDERS), {"covid": "ill", "tb": "ill"}
    read = rewritten(load_manifest(data, normal=BY_NAME), tmp_path)
    target = load_manifest(data, label_map=given, split_file=tmp_path / "split.csv")
    assert kinds(read(target, label_map=given)) == [("ill", ""), ("normal", "")]


def test_a_row_whose_name_does_not_tell_the_subtype_is_named(make_tree, tmp_path):
    data = make_tree(*KERMANY, "train/PNEUMONIA/unclear.png")
    read = rewritten(load_manifest(data), tmp_path)
    with pytest.raises(DataError, match=r"one of NORMAL, BACTERIAL, VIRAL. Received 'PNEUMONIA' \(split.csv row 14\)"):
        read(load_manifest(data, task="pneumonia-subtype"))


def test_a_label_of_no_class_stays_an_error(make_tree, tmp_path):
    data = make_tree(*KERMANY)
    lines = [",".join(COLUMNS), f"{KERMANY[0]},NORMALE,,IM-0000,train"]
    (tmp_path / "split.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"Received 'NORMALE' \(split.csv row 2\). Did you mean NORMAL\?"):
        load_split(tmp_path / "split.csv", load_manifest(data), normal=BY_NAME)
