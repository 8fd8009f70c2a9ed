"""Similar training images beside predictions: as a list, in the output of `predict`, and drawn."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from medxray import api
from medxray.cli.predict import predict
from medxray.embeddings.extract import extract
from medxray.embeddings.similar import Neighbor, draw_neighbors, neighbor_table
from medxray.errors import ConfigError, RunError


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory):
    """A copy of the small trained run with its vectors in it."""
    folder = tmp_path_factory.mktemp("similar") / "small"
    shutil.copytree(trained.path, folder)
    run = api.load_run(folder)
    extract(run)
    return run


@pytest.fixture(scope="module")
def files(run):
    """dict split -> image files of the run."""
    table = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    root = run.record["data"]["root"]
    return {split: [f"{root}/{path}" for path in part["path"]] for split, part in table.groupby("split")}


def invoke(run, *words):
    return CliRunner().invoke(predict, ["--model", str(run.path), *map(str, words)])


def test_neighbours_are_training_images_nearest_first(run, files):
    labels = pd.read_csv(run.path / "split.csv").set_index("path")["label"]
    found = run.similar(files["test"][:4], count=6)
    assert list(found) == files["test"][:4]
    for neighbors in found.values():
        assert len(neighbors) == 6 and {one.path for one in neighbors} <= set(files["train"])
        distances = [one.distance for one in neighbors]
        assert distances == sorted(distances) and not any(one.same_file for one in neighbors)
        for one in neighbors:
            assert one.label == labels[one.path.removeprefix(run.record["data"]["root"] + "/")]


def test_distances_are_cosine_distances_of_the_vectors(run, files):
    (neighbors,) = run.similar(files["test"][:1], count=3).values()
    vectors = run.embed_inputs([files["test"][0], *(one.path for one in neighbors)]).vectors
    unit = vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    np.testing.assert_allclose([one.distance for one in neighbors], 1 - unit[1:] @ unit[0], atol=1e-6)


def test_a_training_image_is_recognised_under_another_name(run, files, tmp_path):
    shutil.copy(files["train"][2], tmp_path / "renamed.jpeg")
    (neighbors,) = run.similar([tmp_path / "renamed.jpeg"], count=2).values()
    same = [one for one in neighbors if one.same_file]
    assert [one.path for one in same] == [files["train"][2]] and same[0].distance == pytest.approx(0, abs=1e-6)


def test_more_neighbours_than_training_images_give_all(run, files):
    (neighbors,) = run.similar(files["test"][:1], count=10_000).values()
    assert {one.path for one in neighbors} == set(files["train"])
    with pytest.raises(ConfigError, match="at least 1. Received 0"):
        run.similar(files["test"][:1], count=0)


def test_vectors_of_other_weights_are_refused(run, files, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    other = api.load_run(tmp_path / "copy")
    kernel, bias = other.model.get_layer("logits").get_weights()
    other.model.get_layer("logits").set_weights([kernel, bias + 1])
    with pytest.raises(RunError, match="was made with other weights"):
        other.similar(files["test"][:1])


def test_table_has_a_row_per_neighbour():
    found = {"a.png": (Neighbor("t/1.png", "NORMAL", 0.25, True), Neighbor("t/2.png", "SICK", 0.5, False)), "b.png": ()}
    assert neighbor_table(found).to_dict("records") == [
        {"path": "a.png", "rank": 1, "neighbor": "t/1.png", "label": "NORMAL", "distance": 0.25, "same_file": True},
        {"path": "a.png", "rank": 2, "neighbor": "t/2.png", "label": "SICK", "distance": 0.5, "same_file": False},
    ]
    assert list(neighbor_table({})) == ["path", "rank", "neighbor", "label", "distance", "same_file"]


@pytest.mark.slow
def test_pictures_of_the_same_name_do_not_overwrite_each_other(run, files, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(files["test"][0], tmp_path / folder / "x.jpeg")
    paths = [tmp_path / folder / "x.jpeg" for folder in ("one", "two")]
    written = draw_neighbors(run.similar(paths, count=1), run.predict(paths), tmp_path / "out", positive=run.positive)
    assert [file.name for file in written] == ["x-neighbors.png", "x-neighbors-2.png"]
    assert sorted((tmp_path / "out").iterdir()) == sorted(written)


def test_a_training_image_that_is_gone_is_an_empty_frame(run, files, tmp_path):
    found = {files["test"][0]: (Neighbor("/gone.png", "NORMAL", 0.5, False),)}
    written = draw_neighbors(found, run.predict(files["test"][:1]), tmp_path, positive=run.positive)
    assert written[0].read_bytes()[:4] == b"\x89PNG"


def test_predict_lists_the_neighbours_of_each_image_below_the_predictions(run, files, tmp_path):
    answer = invoke(run, *files["test"][:2], "--neighbors", 3, "--neighbors-out", tmp_path / "out")
    lines = answer.stdout.splitlines()
    assert answer.exit_code == 0 and len(lines) == 10
    assert [line.startswith("    ") for line in lines[2:]] == [False, True, True, True] * 2
    assert lines[2] == f"Training images most similar to {files['test'][0]}:" and lines[0].endswith(files["test"][0])
    assert len(list((tmp_path / "out").glob("*-neighbors.png"))) == 2


def test_neighbours_of_a_name_that_is_not_utf8_are_listed_in_every_output(run, files, tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpeg"))
    shutil.copy(files["test"][0], odd)
    words = ["--neighbors", 2, "--csv", tmp_path / "a.csv", "--neighbors-out", tmp_path / "out", "--json"]
    answer = CliRunner().invoke(predict, ["--model", str(run.path), str(odd), *map(str, words)])
    (row,) = json.loads(answer.stdout)
    assert answer.exit_code == 0 and row["path"].endswith(r"\xff.jpeg") and len(row["neighbors"]) == 2
    assert list(pd.read_csv(tmp_path / "a-neighbors.csv")["path"]) == [row["path"]] * 2
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_predict_json_and_csv_hold_the_same_neighbours(run, files, tmp_path):
    bad = tmp_path / "text.png"
    bad.write_text("no image")
    words = ["--neighbors", 2, "--json", "--csv", tmp_path / "a.csv", "--neighbors-out", tmp_path / "out"]
    answer = invoke(run, files["test"][0], bad, *words)
    rows = json.loads(answer.stdout)
    assert answer.exit_code == 1 and rows[1]["neighbors"] == [] and "text.png" in answer.stderr
    assert list(rows[0]["neighbors"][0]) == ["path", "label", "distance", "same_file"]
    second = pd.read_csv(tmp_path / "a-neighbors.csv")
    assert list(second["neighbor"]) == [one["path"] for one in rows[0]["neighbors"]]
    distances = [one["distance"] for one in rows[0]["neighbors"]]
    np.testing.assert_allclose(second["distance"], distances, rtol=1e-13)  # pandas 2 reads the last digit otherwise
    assert not any("neighbor" in name for name in pd.read_csv(tmp_path / "a.csv"))


@pytest.fixture
def without_images(run, tmp_path):
    """A copy of the run without vectors, of which an image is gone."""
    shutil.copytree(run.path, tmp_path / "copy")
    (tmp_path / "copy" / "embeddings.npz").unlink()
    table = pd.read_csv(tmp_path / "copy" / "split.csv", keep_default_na=False)
    table.loc[0, "path"] = "gone.jpeg"
    table.to_csv(tmp_path / "copy" / "split.csv", index=False)
    return api.load_run(tmp_path / "copy")


@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_predictions_are_told_although_neighbours_cannot_be_found(medxray, without_images, files, tmp_path, form):
    file, table = files["test"][0], tmp_path / "a.csv"
    words = ["predict", file, "--model", without_images.path, "--neighbors", 2]
    status, out, err = medxray(*words, *{"text": (), "csv": ("--csv", table), "json": ("--json",)}[form])
    assert status == 1 and err.splitlines()[-1].startswith("Error: There is no file 'gone.jpeg'")
    if form == "text":
        (line,) = out.splitlines()
        assert line.endswith(file)
    elif form == "csv":
        assert list(pd.read_csv(table)["path"]) == [file] and not (tmp_path / "a-neighbors.csv").exists()
    else:
        (row,) = json.loads(out)
        assert row["path"] == file and row["label"] and "neighbors" not in row


def test_predict_without_the_option_mentions_no_neighbours(run, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = json.loads(invoke(run, files["test"][0], "--json").stdout)
    assert "neighbors" not in rows[0] and list(tmp_path.iterdir()) == []
    assert invoke(run, files["test"][0], "--neighbors", 0).exit_code == 2
