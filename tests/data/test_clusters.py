"""Clusters of images, and splits that leave a cluster out."""

import numpy as np
import pytest

from medxray.data.clusters import cluster_images, clusters_of_classes, held_note, hold_out_clusters
from medxray.data.manifest import Manifest, build_table
from medxray.errors import DataError


@pytest.fixture
def manifest(tmp_path):
    """Two classes with 60 patients of two images each."""
    rows = []
    for number in range(120):
        label = "NORMAL" if number < 60 else "PNEUMONIA"
        for image in range(2):
            (tmp_path / f"{number}-{image}.png").write_bytes(f"{number} {image}".encode())
            rows.append((f"{number}-{image}.png", label, "", f"p{number}", ""))
    return Manifest(build_table(rows), tmp_path, "pneumonia", ("NORMAL", "PNEUMONIA"), "PNEUMONIA", True)


def features_of(manifest, clusters=3):
    """Features of which patient number modulo `clusters` can be read."""
    kinds = np.array([int(path.split("-")[0]) % clusters for path in manifest.table["path"]])
    return np.eye(clusters)[kinds] * 10 + np.random.default_rng(0).normal(size=(len(kinds), clusters)), kinds


def test_clusters_are_found_and_numbered_by_size():
    centres = np.repeat([[0, 0], [9, 0], [0, 9]], [5, 20, 10], axis=0)
    found = cluster_images(centres + np.random.default_rng(1).normal(size=(35, 2)), clusters=3, seed=0)
    assert [len(np.unique(part)) for part in (found[:5], found[5:25], found[25:])] == [1, 1, 1]
    assert (found[5], found[25], found[0]) == (0, 1, 2)


def test_no_more_clusters_than_different_images():
    assert set(cluster_images(np.repeat([[0.0], [1.0]], 4, axis=0), clusters=5, seed=0)) == {0, 1}


def test_one_cluster_of_each_class_becomes_the_test_split_with_whole_patients(manifest):
    features, kinds = features_of(manifest)
    numbers = clusters_of_classes(features, manifest.labels(), clusters=3, seed=0)
    split, held = hold_out_clusters(manifest, numbers, seed=4)
    table = split.table
    for label, item in zip(("NORMAL", "PNEUMONIA"), held, strict=True):
        rows = (table["label"] == label).to_numpy()
        assert len(set(kinds[rows & (table["split"] == "test").to_numpy()])) == 1
        assert (item.label, item.images, item.of) == (label, 40, 120)
    assert table.groupby("patient_id")["split"].nunique().max() == 1
    assert set(table["split"]) == {"train", "val", "test"} and (table["split"] == "test").sum() == 80


def test_the_seed_chooses_the_cluster(manifest):
    features, _ = features_of(manifest)
    numbers = clusters_of_classes(features, manifest.labels(), clusters=3, seed=0)
    chosen = {tuple(item.cluster for item in hold_out_clusters(manifest, numbers, seed=seed)[1]) for seed in range(12)}
    assert len(chosen) > 3
    again = hold_out_clusters(manifest, numbers, seed=5)[0].table
    assert again.equals(hold_out_clusters(manifest, numbers, seed=5)[0].table)


def test_patients_between_two_clusters_go_where_most_of_their_images_are(manifest):
    _, kinds = features_of(manifest, clusters=2)
    kinds = kinds.copy()
    kinds[0] = 1 - kinds[0]  # the first patient has an image in each cluster: at least half is held out either way
    split, held = hold_out_clusters(manifest, kinds, seed=0)
    assert split.table["split"][0] == split.table["split"][1] == "test"


def test_the_test_split_of_the_dataset_is_left_out_with_a_warning(manifest, caplog):
    features, kinds = features_of(manifest)
    table = manifest.table.assign(split=np.where(manifest.table["patient_id"] == "p7", "test", "train"))
    given = Manifest(table, manifest.root, manifest.task, manifest.classes, manifest.positive, True)
    split, _ = hold_out_clusters(given, kinds, seed=1)
    assert len(split) == 238 and "p7" not in set(split.table["patient_id"])
    assert "2 images of the dataset's own test split are left out" in caplog.text


def test_a_class_of_one_cluster_is_an_error(manifest):
    with pytest.raises(DataError, match="The 120 images of class NORMAL form one cluster"):
        hold_out_clusters(manifest, np.zeros(240, np.int64), seed=0)


def test_the_report_says_that_it_is_about_unseen_kinds(manifest):
    features, kinds = features_of(manifest)
    _, held = hold_out_clusters(manifest, kinds, seed=1)
    assert "one of 3 clusters of each class was held out (40 of 120 NORMAL, 40 of 120 PNEUMONIA)" in held_note(held, 3)
