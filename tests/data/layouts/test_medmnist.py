"""MedMNIST files as datasets."""

import numpy as np
import pytest

from medxray.data.layouts.medmnist import CLASSES, stored_size
from medxray.data.layouts.sources import load_manifest
from medxray.data.manifest import read_split_csv, write_split_csv
from medxray.data.splits import assign_splits
from medxray.errors import ConfigError, DataError
from medxray.predict.inputs import expand_inputs


def test_official_splits_and_known_names_are_kept(medmnist_file):
    manifest = load_manifest(medmnist_file())
    assert (manifest.task, manifest.classes, manifest.positive) == (
        "pneumonia",
        ("NORMAL", "PNEUMONIA"),
        "PNEUMONIA",
    )
    assert manifest.table["split"].value_counts().to_dict() == {"train": 24, "val": 10, "test": 12}
    row = manifest.table[manifest.table["path"] == "pneumoniamnist.npz/test-3"].iloc[0]
    assert tuple(row) == ("pneumoniamnist.npz/test-3", "PNEUMONIA", "", "", "test")
    assert not manifest.grouped and not manifest.skipped


@pytest.mark.parametrize("name", ["pneumoniamnist_64.npz", "PneumoniaMNIST_224.npz"])
def test_sizes_in_the_name_do_not_matter(medmnist_file, name):
    assert load_manifest(medmnist_file(name)).classes == ("NORMAL", "PNEUMONIA")


def test_a_set_without_known_names_has_numbers_in_their_order(medmnist_file):
    assert load_manifest(medmnist_file("own.npz", classes=2)).positive == "1"
    many = load_manifest(medmnist_file("own.npz", classes=12, counts=(48, 12, 12)))
    assert many.classes == tuple(map(str, range(12)))


@pytest.mark.parametrize("name", CLASSES)
def test_every_known_set_has_its_classes(medmnist_file, name):
    count = len(CLASSES[name])
    positive = "malignant" if name == "breastmnist" else None
    file = medmnist_file(f"{name}.npz", classes=count, counts=(count, count, count))
    manifest = load_manifest(file, positive=positive)
    assert set(manifest.classes) == set(CLASSES[name]) and len(set(CLASSES[name])) == count
    label = manifest.table.set_index("path")["label"][f"{name}.npz/val-{count - 1}"]
    assert label == CLASSES[name][-1]


def test_a_label_beyond_the_known_ones_stops(medmnist_file):
    with pytest.raises(DataError, match="train_labels has the label 2, but pneumoniamnist has 2 classes"):
        load_manifest(medmnist_file(classes=3))


def test_chestmnist_is_refused_since_an_image_has_several_labels(tmp_path, arrays_of):
    arrays = arrays_of()
    labels = {name: np.zeros((len(array), 14), np.uint8) for name, array in arrays.items() if "labels" in name}
    np.savez(tmp_path / "chestmnist.npz", **(arrays | labels))
    with pytest.raises(
        DataError, match=r"chestmnist.npz: it has 14 labels for each image \(multi-label, as ChestMNIST\)"
    ):
        load_manifest(tmp_path / "chestmnist.npz")


def test_another_npz_says_what_it_holds(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros(3), y=np.zeros(3))
    with pytest.raises(DataError, match=r"x.npz: it lacks train_images.* It holds: x, y. Pass a MedMNIST file"):
        load_manifest(tmp_path / "x.npz")


def test_options_of_a_csv_are_refused(medmnist_file):
    with pytest.raises(ConfigError, match="--label-col is for a CSV. .* is a file of arrays"):
        load_manifest(medmnist_file(), label_col="label")


def test_a_split_file_leads_to_the_same_images(medmnist_file, tmp_path):
    manifest = load_manifest(medmnist_file())
    write_split_csv(manifest, tmp_path / "split.csv")
    fields = {"root": manifest.root, "task": manifest.task, "classes": manifest.classes}
    again = read_split_csv(tmp_path / "split.csv", positive=manifest.positive, **fields)
    assert again.table.equals(manifest.table)
    assert again.content_digests() == manifest.content_digests()
    (tmp_path / "split.csv").write_text("path,label,subtype,patient_id,split\npneumoniamnist.npz/val-10,NORMAL,,,val\n")
    with pytest.raises(DataError, match="There is no file 'pneumoniamnist.npz/val-10'"):
        read_split_csv(tmp_path / "split.csv", positive=manifest.positive, **fields)


def test_identical_images_of_two_splits_are_told(tmp_path, arrays_of, caplog):
    arrays = arrays_of()
    arrays["test_images"][0] = arrays["train_images"][5]
    np.savez(tmp_path / "pneumoniamnist.npz", **arrays)
    assign_splits(load_manifest(tmp_path / "pneumoniamnist.npz"), min_val=1)
    assert "pneumoniamnist.npz/test-0 = pneumoniamnist.npz/train-5" in caplog.text


def test_stored_size_is_that_of_a_medmnist_file_only(medmnist_file, tmp_path):
    assert stored_size(medmnist_file(side=64)) == 64
    (tmp_path / "bad.npz").write_bytes(b"PK")
    assert [stored_size(path) for path in (tmp_path, tmp_path / "bad.npz", tmp_path / "gone.npz", "data")] == [None] * 4


def test_a_file_or_a_split_of_it_is_given_to_predict_like_a_folder(medmnist_file, tmp_path):
    file = medmnist_file(counts=(2, 1, 2))
    assert [path.name for path in expand_inputs([file])] == ["train-0", "train-1", "val-0", "test-0", "test-1"]
    assert expand_inputs([f"{file}/test", f"{file}/val-0"]) == [file / "test-0", file / "test-1", file / "val-0"]
    np.savez(tmp_path / "x.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="x.npz: it lacks train_images"):
        expand_inputs([tmp_path / "x.npz"])
