"""Clusters of images, and splits that leave a cluster out."""

import numpy as np
import pytest

from medxray.data.clusters import (
    UNREADABLE,
    cluster_images,
    clusters_of_classes,
    held_note,
    hold_out_clusters,
    without_test,
)
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
    table = manifest.table.assign(split=np.where(manifest.table["patient_id"] == "p7", "test", "train"))
    split = without_test(Manifest(table, manifest.root, manifest.task, manifest.classes, manifest.positive, True))
    assert len(split) == 238 and "p7" not in set(split.table["patient_id"])
    assert "2 images of the dataset's own test split are left out" in caplog.text


def test_a_class_of_one_cluster_is_an_error(manifest):
    with pytest.raises(DataError, match="The 120 images of class NORMAL form one cluster"):
        hold_out_clusters(manifest, np.zeros(240, np.int64), seed=0)


def test_the_report_says_that_it_is_about_unseen_kinds(manifest):
    _, kinds = features_of(manifest)
    note = held_note(hold_out_clusters(manifest, kinds, seed=1)[1], 3)
    assert "one of 3 clusters of each class (40 of 120 NORMAL, 40 of 120 PNEUMONIA): 80 of the 80 held-out" in note
    assert "No image of these kinds stays with those for training." in note and "unseen kinds of images" in note


def test_patients_who_share_a_file_lie_on_one_side(manifest):
    kinds = features_of(manifest, clusters=2)[1]
    for path in ("0-0.png", "1-0.png"):  # of patients of different kinds
        (manifest.root / path).write_bytes(b"the same")
    for seed in range(4):
        table = hold_out_clusters(manifest, kinds, seed=seed)[0].table
        assert set(table.loc[table["patient_id"].isin(["p0", "p1"]), "split"]) == {"test"}  # half of their four images


def test_the_note_counts_images_on_the_other_side_of_their_kind(manifest):
    table = manifest.table.assign(patient_id=[f"p{number // 3}" for number in range(240)])  # of three images each
    manifest = Manifest(table, manifest.root, manifest.task, manifest.classes, manifest.positive, True)
    kinds = np.repeat(np.arange(80) % 2, 3)
    (held, _) = hold_out_clusters(manifest, kinds, seed=0)[1]
    patients = table["patient_id"].to_numpy()
    inside, outside = (np.unique(patients[:120][(kinds[:120] == kind)]) for kind in (held.cluster, 1 - held.cluster))
    kinds[np.flatnonzero(patients == inside[0])[0]] = 1 - held.cluster
    for patient in outside[:2]:
        kinds[np.flatnonzero(patients == patient)[0]] = held.cluster
    split, found = hold_out_clusters(manifest, kinds, seed=0)
    assert found[0].cluster == held.cluster
    assert (found[0].images, found[0].tested, found[0].beside) == (61, 59, 1)
    assert (split.table["split"] == "test").sum() == 60 + found[1].tested + found[1].beside
    note = held_note(found, 2)
    assert "119 of the 120 held-out images are of these kinds; the rest (1) are other images of the same" in note
    assert (
        "that stay with those for training, since less than half of the images of their patient are of them: 2." in note
    )


@pytest.mark.parametrize("seed", range(4))
def test_an_unreadable_image_is_of_no_kind(manifest, seed):
    kinds = features_of(manifest, clusters=2)[1].copy()
    whole, part = [0, 1], [2, 4]  # rows: all of patient p0; one each of p1 and p2
    kinds[whole + part] = UNREADABLE
    split, held = hold_out_clusters(manifest, kinds, seed=seed)
    splits = dict(zip(split.table["path"], split.table["split"], strict=True))
    assert splits["0-0.png"] != "test"
    for number in (1, 2):  # go by the other image
        unseen = kinds[2 * number + 1] == held[0].cluster
        assert (splits[f"{number}-0.png"] == "test") == unseen
    assert (held[0].of, held[0].beside) == (116, 0) and held[0].images == held[0].tested
    assert held[0].images == (kinds[:120] == held[0].cluster).sum()
