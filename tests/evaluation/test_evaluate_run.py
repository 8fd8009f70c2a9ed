"""Other data: what its results are called, and what of it the run knows."""

import json
import os
import shutil
from pathlib import Path

import cv2
import pandas as pd
import pytest

from medxray import api
from medxray.data.phantom.draw import generate_phantoms
from medxray.embeddings.vectors import read_embeddings
from medxray.errors import DataError
from medxray.runs import images


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the small trained run, for a test to write into."""
    shutil.copytree(trained.path, tmp_path / "small")
    return api.load_run(tmp_path / "small")


def own_files(run, *splits):
    table = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    return [Path(run.record["data"]["root"]) / path for path in table.loc[table["split"].isin(splits), "path"]]


def test_folders_of_one_name_have_different_names_and_plain_ones(tmp_path):
    names = [images.data_name(tmp_path / parent / "X rays, 2") for parent in ("a", "b")]
    assert names[0] != names[1] and all(name.startswith("X-rays-2-") for name in names)
    assert images.data_name(tmp_path / "a" / ".." / "a" / "X rays, 2") == names[0]


def test_a_folder_whose_name_is_not_utf8_can_be_evaluated_and_extracted(run, tmp_path, without_plots):
    generate_phantoms(tmp_path / "new", patients=12, size=64, seed=99)
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9j\xe0"))
    (tmp_path / "new").rename(data)
    assert images.data_name(data).startswith("d-j-")
    assert len(images.data_name(tmp_path / ("x" * 255))) < 220
    report, folder = run.write_evaluation(data, split="train")
    assert report["n"] == len(list(data.rglob("*.jpeg"))) and (folder / "metrics.json").is_file()
    assert folder.name == f"{images.data_name(data)}-train"
    embeddings, file = run.write_embeddings(data)
    assert read_embeddings(file).files() == embeddings.files() and embeddings.files()[0].is_file()


def test_images_that_the_run_has_learned_are_left_out_of_other_data(run, tmp_path, caplog, monkeypatch):
    for number, file in enumerate(own_files(run, "train", "val", "test")):
        (tmp_path / "other" / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / "other" / file.parent.name / f"{number}.jpeg")
    manifest = images.other_manifest(run, tmp_path / "other")
    with caplog.at_level("WARNING", logger="medxray"):
        fresh = images.without_known(run, manifest)
    test = {file.read_bytes() for file in own_files(run, "test")}
    assert {file.read_bytes() for file in fresh.files()} == test
    known = len(manifest) - len(fresh)
    assert f"{known} of {len(manifest)} images are the same files as training or validation images" in caplog.text
    known_only = manifest.where([file.read_bytes() not in test for file in manifest.files()])
    with pytest.raises(DataError, match="has seen every image wanted of .*other: none is left"):
        images.without_known(run, known_only)


def test_known_patients_and_pictures_of_other_data_are_in_the_report(run, tmp_path, without_plots):
    generate_phantoms(tmp_path / "new", patients=12, size=64, seed=99)
    learned = cv2.imread(str(own_files(run, "train")[0]))
    cv2.imwrite(str(next((tmp_path / "new").rglob("train/NORMAL")) / "copy.png"), learned)
    report, folder = run.write_evaluation(tmp_path / "new", split="train")
    assert report["known"]["look_alike"] == 1 and not report["known"]["excluded"]
    assert json.loads((folder / "metrics.json").read_text())["splits"]["train"]["known"] == report["known"]
    assert any("1 of" in note and "look like a training" in note for note in report["notes"])
    without, _ = run.write_evaluation(tmp_path / "new", split="train", exclude_known=True)
    assert without["n"] < report["n"] and without["known"]["excluded"]
    everything = (report["known"]["look_alike"], report["known"]["same_patient"])
    assert report["n"] - without["n"] in range(max(everything), sum(everything) + 1)
