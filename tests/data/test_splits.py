import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.data.manifest import Manifest, all_known, build_table
from medxray.data.split_checks import leaks
from medxray.data.splits import assign_splits, limit_manifest
from medxray.errors import ConfigError, DataError


def kermany_like(*, healthy=40, bacterial=40, viral=20, split="", per_patient=2):
    kinds = [("NORMAL", "")] * healthy + [("PNEUMONIA", "bacterial")] * bacterial + [("PNEUMONIA", "viral")] * viral
    rows = [
        (f"{n:03d}-{k}.png", label, subtype, f"patient{n}", split)
        for n, (label, subtype) in enumerate(kinds)
        for k in range(per_patient)
    ]
    return manifest_of(rows)


def manifest_of(rows):
    table = build_table(rows)
    return Manifest(table, Path("/nowhere"), "pneumonia", ("NORMAL", "PNEUMONIA"), "PNEUMONIA", all_known(table))


def splits_of_patients(manifest):
    return manifest.table.groupby("patient_id")["split"].agg(set)


@settings(max_examples=25, deadline=None)
@given(patients=st.lists(st.integers(0, 30), min_size=3, max_size=120), seed=st.integers(0, 5))
def test_split_keeps_each_patient_in_one_fold_and_loses_no_row(patients, seed):
    rows = [(f"{n}.png", ("NORMAL", "PNEUMONIA")[p % 2], "", f"p{p}", "") for n, p in enumerate(patients)]
    result = assign_splits(manifest_of(rows), seed=seed)
    assert result.table["path"].tolist() == [row[0] for row in rows]
    assert set(result.table["split"]) <= {"train", "val", "test"}
    assert (splits_of_patients(result).map(len) == 1).all()
    assert leaks(result).empty


def test_each_carved_split_has_its_share_of_each_kind_of_patient():
    result = assign_splits(kermany_like())
    counts = result.table.drop_duplicates("patient_id").groupby(["split", "label", "subtype"]).size()
    for split, expected in (("train", (28, 28, 14)), ("val", (6, 6, 3)), ("test", (6, 6, 3))):
        found = tuple(
            counts[split, label, kind]
            for label, kind in (("NORMAL", ""), ("PNEUMONIA", "bacterial"), ("PNEUMONIA", "viral"))
        )
        assert found == expected


def test_split_depends_on_the_seed_and_on_nothing_else():
    manifest = kermany_like()
    first, again, other = (assign_splits(manifest, seed=seed).table for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("split", ["", "train"])
def test_the_manifest_stays_as_it_is(split):
    manifest = kermany_like(split=split)
    assign_splits(manifest)
    assert set(manifest.table["split"]) == {split}


def test_a_patient_gets_the_same_split_whatever_the_row_order():
    manifest = kermany_like()
    turned = manifest_of([tuple(row) for row in manifest.table[::-1].itertuples(index=False)])
    assert splits_of_patients(assign_splits(manifest)).equals(splits_of_patients(assign_splits(turned)))


def test_an_existing_test_split_is_kept_and_val_is_carved_from_train():
    rows = list(kermany_like(split="train").table.itertuples(index=False))
    rows += [(f"t{n}.png", "NORMAL", "", f"test{n}", "test") for n in range(7)]
    result = assign_splits(manifest_of(rows))
    assert (result.table["split"] == "test").sum() == 7
    assert (result.table["split"][-7:] == "test").all()
    assert (result.table["split"] == "val").sum() == 2 * 15


@pytest.mark.parametrize(("size", "kept"), [(99, False), (100, True)])
def test_a_val_split_is_kept_from_100_images_on(size, kept, caplog):
    rows = list(kermany_like(split="train").table.itertuples(index=False))
    rows += [(f"v{n}.png", "NORMAL", "", f"val{n}", "val") for n in range(size)]
    with caplog.at_level(logging.INFO):
        result = assign_splits(manifest_of(rows))
    old = result.table["path"].str.startswith("v")
    assert (set(result.table["split"][old]) == {"val"}) == kept
    assert ("folded into train" in caplog.text) != kept
    assert (result.table["split"] == "test").any()


def test_without_patient_ids_it_warns(caplog):
    rows = [(f"{n}.png", ("NORMAL", "PNEUMONIA")[n % 2], "", "", "") for n in range(40)]
    result = assign_splits(manifest_of(rows))
    assert "40 of 40 images have no patient id" in caplog.text
    assert result.table["split"].value_counts().to_dict() == {"train": 28, "val": 6, "test": 6}


@pytest.mark.parametrize(("bacterial", "viral"), [(3, 0), (2, 1), (2, 20)])
def test_a_small_stratum_keeps_a_patient_in_train(bacterial, viral):
    for seed in range(5):
        result = assign_splits(kermany_like(healthy=10, bacterial=bacterial, viral=viral), seed=seed)
        assert (result.subset("train").table["label"] == "PNEUMONIA").any()
        assert viral == 1 or "bacterial" in set(result.subset("train").table["subtype"])


def rare_diseases(patients, *, diseases=40, healthy=200, split=""):
    """`diseases` of one label with `patients` patients each, one image each."""
    rows = [(f"n{n}.png", "NORMAL", "", f"n{n}", split) for n in range(healthy)]
    kinds = [(kind, n) for kind in range(diseases) for n in range(patients)]
    return manifest_of(rows + [(f"{k}-{n}.png", "PNEUMONIA", f"d{k}", f"p{k}-{n}", split) for k, n in kinds])


@pytest.mark.parametrize("patients", [1, 2, 3, 6])
def test_rare_subtypes_have_their_share_of_each_split_together(patients):
    counts = assign_splits(rare_diseases(patients)).table.groupby(["split", "label"]).size()
    for split in ("val", "test"):
        assert counts[split, "NORMAL"] == 30
        assert counts[split, "PNEUMONIA"] == 6 * patients


def test_rare_subtypes_do_not_change_the_split_of_large_ones():
    large = kermany_like()
    rare = rare_diseases(2, healthy=0)
    both = manifest_of([tuple(row) for part in (large, rare) for row in part.table.itertuples(index=False)])
    counts = assign_splits(both).table.groupby(["split", "subtype"]).size()
    assert (counts["val", "bacterial"], counts["val", "viral"], counts["val", ""]) == (12, 6, 12)


def test_the_split_of_large_strata_is_that_of_published_runs():
    result = assign_splits(kermany_like(), seed=1)
    chosen = {int(patient.removeprefix("patient")) for patient in result.subset("test").table["patient_id"]}
    assert sorted(chosen) == [7, 11, 16, 25, 31, 37, 53, 67, 69, 71, 73, 76, 82, 86, 96]
    part = limit_manifest(result, 60, seed=1).subset("val").table["path"].str.removesuffix(".png")
    assert part.tolist() == ["009-0", "009-1", "033-0", "044-0", "063-0", "063-1", "089-0", "089-1"]


def test_a_limit_takes_rare_subtypes_of_every_split():
    split = [("train", "val", "test")[n % 3] for n in range(240)]
    manifest = rare_diseases(1, diseases=120, healthy=120)
    manifest = replace(manifest, table=manifest.table.assign(split=split))
    counts = limit_manifest(manifest, 60, seed=0).table.groupby(["split", "label"]).size()
    assert counts.tolist() == [10] * 6


def test_nothing_to_train_on_is_an_error():
    rows = [(f"{n}.png", "NORMAL", "", f"p{n}", "test") for n in range(3)]
    with pytest.raises(DataError, match="No images are left to train on"):
        assign_splits(manifest_of(rows))


@pytest.mark.parametrize("fraction", [0, -0.1, 0.5, 1])
def test_impossible_share_is_refused(fraction):
    with pytest.raises(ConfigError, match="must be between 0 and 0.5"):
        assign_splits(kermany_like(), fraction=fraction)


def test_leaks_tell_certain_from_possible(caplog):
    manifest = manifest_of(
        [
            ("a.png", "NORMAL", "", "IM-1", "train"),
            ("b.png", "NORMAL", "", "IM-1", "test"),
            ("c.png", "PNEUMONIA", "viral", "person1", "train"),
            ("d.png", "PNEUMONIA", "bacterial", "person1", "val"),
            ("e.png", "PNEUMONIA", "viral", "person2", "train"),
            ("f.png", "PNEUMONIA", "viral", "person2", "test"),
            ("g.png", "PNEUMONIA", "bacterial", "person2", "test"),
            ("h.png", "NORMAL", "", "IM-2", "train"),
            ("i.png", "NORMAL", "", "", "train"),
            ("j.png", "NORMAL", "", "", "test"),
        ]
    )
    assert leaks(manifest).to_dict("records") == [
        {"patient_id": "IM-1", "splits": "train+test", "images": 2, "kind": "certain"},
        {"patient_id": "person1", "splits": "train+val", "images": 2, "kind": "possible"},
        {"patient_id": "person2", "splits": "train+test", "images": 3, "kind": "certain"},
    ]
    elsewhere = replace(manifest, task="folders")  # where a finer label is another disease and not another child
    assert set(leaks(elsewhere)["kind"]) == {"certain"}
    assign_splits(manifest, min_val=1)
    assert "2 patients have images in two splits, for example IM-1" in caplog.text


def test_limit_gives_the_exact_number_in_proportion():
    manifest = assign_splits(kermany_like())
    small = limit_manifest(manifest, 50, seed=0)
    assert len(small) == 50
    whole = manifest.table.groupby(["split", "label", "subtype"]).size() / 4
    part = small.table.groupby(["split", "label", "subtype"]).size()
    assert (np.abs(part - whole) <= 1).all()
    assert small.table["path"].is_monotonic_increasing


def test_limit_prefers_whole_patients_and_follows_the_seed():
    manifest = assign_splits(kermany_like())
    small = limit_manifest(manifest, 50, seed=0)
    halves = (small.table.groupby("patient_id").size() == 1).sum()
    assert halves <= small.table.groupby(["split", "label", "subtype"]).ngroups
    assert small.table.equals(limit_manifest(manifest, 50, seed=0).table)
    assert not small.table.equals(limit_manifest(manifest, 50, seed=1).table)


def test_limit_at_or_above_the_size_changes_nothing():
    manifest = kermany_like()
    assert limit_manifest(manifest, len(manifest), seed=0) is manifest
    assert limit_manifest(manifest, 10**6, seed=0) is manifest
    with pytest.raises(ConfigError, match="--limit must be at least 1. Received 0"):
        limit_manifest(manifest, 0, seed=0)
