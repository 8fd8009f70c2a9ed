"""A split that a run has made with kinds of images held out says so wherever it is used again."""

from dataclasses import replace

import pytest

from medxray.data.layouts.sources import load_manifest, load_split
from medxray.data.manifest import write_split_csv
from medxray.data.splits import assign_splits
from medxray.runs.directory import RunDir
from medxray.runs.holdouts import holdout_of_split
from medxray.system import storage

HELD = {"note": "Kinds are held out.", "clusters": [{"label": "NORMAL", "cluster": 1}]}


@pytest.fixture
def manifest(make_tree):
    files = (f"{label}/{number}.png" for label in ("NORMAL", "PNEUMONIA") for number in range(12))
    return assign_splits(load_manifest(make_tree(*files)))


@pytest.fixture
def run(manifest, tmp_path):
    """A run whose split holds kinds of images out."""
    run = RunDir(tmp_path / "runs" / "first")
    record = {"kind": "medxray-run", "state": "completed", "config": {}, "holdout": HELD}
    storage.write_json(run.record_file, record | {"data": {"manifest_sha256": manifest.digest()}})
    write_split_csv(manifest, run.split_file)
    return run


def test_the_same_images_have_the_note_of_the_run_that_the_split_is_from(run, manifest, tmp_path):
    assert holdout_of_split(run.split_file, load_split(run.split_file, manifest)) == HELD
    link = tmp_path / "other.csv"
    link.symlink_to(run.split_file)
    assert holdout_of_split(link, manifest) == HELD


def test_other_images_have_a_note_that_says_whose_counts_it_has(run, manifest):
    fewer = replace(manifest, table=manifest.table.iloc[:-1])
    held = holdout_of_split(run.split_file, fewer)
    assert held["note"] == "Kinds are held out. The counts are those of run first, from which the split is."
    assert held["clusters"] == HELD["clusters"]


def test_other_splits_have_no_note(run, manifest, tmp_path, caplog):
    elsewhere = tmp_path / "split.csv"
    write_split_csv(manifest, elsewhere)
    assert holdout_of_split(elsewhere, manifest) is None
    assert holdout_of_split(run.path / "edited.csv", manifest) is None
    record = run.read_record()
    del record["holdout"]
    storage.write_json(run.record_file, record)
    assert holdout_of_split(run.split_file, manifest) is None and caplog.text == ""
    storage.write_text(run.record_file, "{}")
    assert holdout_of_split(run.split_file, manifest) is None
    assert "Whether kinds of images are held out in" in caplog.text
