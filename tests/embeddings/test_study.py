"""Studies of a file of embeddings: what is computed, written and said; commands on files; no TensorFlow."""

import dataclasses
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from medxray.cli.embed import embed
from medxray.embeddings import study as embedding_study
from medxray.embeddings.knn import classify
from medxray.embeddings.neighborhood import DEFAULT_METRIC, DEFAULT_NEIGHBORS, METRICS
from medxray.embeddings.projection import METHODS
from medxray.embeddings.study import SHOWN_IMAGES, study_knn, study_plot
from medxray.embeddings.vectors import write_embeddings
from medxray.errors import ConfigError, DataError
from medxray.metrics.metrics import Ranking


@pytest.fixture
def stored(tmp_path):
    """Function Embeddings -> path of a file with them."""

    def write(embeddings):
        write_embeddings(tmp_path / "emb.npz", embeddings)
        return tmp_path / "emb.npz"

    return write


@pytest.fixture
def large(simulate):
    """Enough validation images of both classes to fit a threshold and a calibration."""
    return simulate(620, distance=2.0)


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out files and pictures, which take most of the time, where only figures are looked at."""
    monkeypatch.setattr(embedding_study, "write_assessment", lambda *arguments, **options: None)


def test_knn_writes_an_evaluation_like_any_other(stored, large, tmp_path):
    study = study_knn(stored(large))
    folder = tmp_path / "emb-knn"
    assert study.files == (folder,)
    assert {file.name for file in folder.iterdir()} == {"knn.json", "metrics.json", "predictions.csv", "plots"}
    record, metrics = (json.loads((folder / name).read_text()) for name in ("knn.json", "metrics.json"))
    assert set(metrics["splits"]) == {"val", "test"} and metrics["splits"] == study.result["splits"]
    threshold = record["decision"]["threshold"]
    assert threshold["chosen_on"] == "val" and threshold["rule"] == "youden:0.95"
    assert record["reference"]["splits"] == ["train", "val"] and len(record["candidates"]) == 27
    best = max(record["candidates"], key=lambda one: (one["auroc"], -one["nll"], -one["k"]))
    assert (best["k"], best["metric"]) == (record["k"], record["metric"])
    assert (folder / "plots" / "test_roc.png").exists()


def test_knn_tests_on_images_that_had_no_part_in_the_choice(stored, large, undrawn):
    study = study_knn(stored(large))
    reference, test = large.in_splits("train", "val"), large.in_splits("test")
    logits = classify(reference, test.vectors, k=study.result["k"], metric=study.result["metric"])
    auroc = Ranking(test.y_true == 1, logits[:, 1] - logits[:, 0]).areas(np.ones((1, len(test))))[0][0]
    assert study.result["splits"]["test"]["auroc"]["value"] == pytest.approx(auroc)
    assert study.result["splits"]["test"]["n"] == len(test)
    other = study_knn(stored(large.where(large.splits != "val")))
    assert other.result["reference"]["images"] == (large.splits == "train").sum()


def test_test_labels_change_neither_choice_nor_decision(stored, large, undrawn):
    plain = study_knn(stored(large)).result
    flipped = np.where(large.labels == "NORMAL", "PNEUMONIA", "NORMAL")
    labels = np.where(large.splits == "test", flipped, large.labels)
    changed = study_knn(stored(dataclasses.replace(large, labels=labels))).result
    for name in ("k", "metric", "candidates", "decision"):
        assert changed[name] == plain[name]
    assert changed["splits"]["test"]["auroc"]["value"] == pytest.approx(1 - plain["splits"]["test"]["auroc"]["value"])


def test_without_validation_the_threshold_comes_from_out_of_fold_predictions(stored, large, caplog, undrawn):
    with caplog.at_level("WARNING", logger="medxray"):
        result = study_knn(stored(large.where(large.splits != "val"))).result
    assert result["decision"]["threshold"]["chosen_on"] == "train-out-of-fold"
    assert set(result["splits"]) == {"train-out-of-fold", "test"} and "no validation split" in caplog.text
    assert "optimistic" in result["splits"]["train-out-of-fold"]["notes"][0]


def test_few_validation_images_fix_the_decision(stored, simulate, undrawn):
    decision = study_knn(stored(simulate(120))).result["decision"]
    assert decision["threshold"]["value"] == 0.5 and "too few images" in decision["messages"][0]


def test_three_classes_have_no_threshold(stored, simulate, undrawn):
    result = study_knn(stored(simulate(240, 3))).result
    assert result["decision"]["threshold"] is None and 0.5 < result["splits"]["test"]["auroc"]["value"] <= 1


def test_patients_in_test_and_reference_are_told(stored, large, caplog, undrawn):
    large = dataclasses.replace(large, patients=np.where(np.arange(len(large)) < 40, "same", large.patients))
    with caplog.at_level("WARNING", logger="medxray"):
        result = study_knn(stored(large)).result
    assert "1 patients have images in test and in train" in result["splits"]["test"]["notes"][0]
    assert "split by patient" in caplog.text


@pytest.mark.parametrize("gone", ["train", "test"])
def test_missing_splits_are_refused(stored, large, gone):
    with pytest.raises(DataError, match=f"no images of the split {gone} .splits in it: .*without --split"):
        study_knn(stored(large.where(large.splits != gone)))


def test_impossible_rule_is_refused(stored, large):
    with pytest.raises(ConfigError):
        study_knn(stored(large), rule="luck")


def test_plot_writes_picture_page_figures_and_points(stored, with_images, tmp_path):
    study = study_plot(stored(with_images), method="pca")
    assert [file.name for file in study.files] == [f"emb-pca.{suffix}" for suffix in ("png", "html", "json", "csv")]
    assert json.loads(study.files[2].read_text()) == study.result
    points = pd.read_csv(study.files[3])
    assert list(points) == ["path", "patient_id", "label", "split", "x", "y"] and len(points) == 60
    assert study.result["page"] == {"images": 60, "unreadable": 0, "seed": 0}
    assert study.files[0].read_bytes()[:4] == b"\x89PNG"


def test_plot_takes_the_splits_asked_for(stored, with_images):
    study = study_plot(stored(with_images), splits=("test", "val"))
    assert study.files[0].name == "emb-tsne-test-val.png"
    assert study.result["images"] == np.isin(with_images.splits, ("test", "val")).sum()
    assert "split train" not in [group["name"] for group in study.result["structure"]["groups"]]


def test_plot_bounds_the_page_and_says_so(stored, with_images):
    study = study_plot(stored(with_images), method="pca", shown=10, seed=7)
    page = study.files[1].read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert len(data["points"]) == 10 and "shows 10 of them, a sample stratified by split and class (seed 7)" in page
    assert len(pd.read_csv(study.files[3])) == 60


def test_missing_images_leave_a_map_without_their_pictures(stored, with_images, caplog):
    for file in with_images.files()[:5]:
        file.unlink()
    with_images.files()[5].write_text("no image")
    with caplog.at_level("WARNING", logger="medxray"):
        study = study_plot(stored(with_images), method="pca")
    assert study.result["page"]["unreadable"] == 6 and "6 of 60 images cannot be read any more" in caplog.text
    page = study.files[1].read_text()
    assert "6 image files could not be read" in page and page.count('"jpeg":null') == 6


@pytest.mark.slow
def test_commands_print_what_they_wrote(stored, with_images):
    path = stored(with_images)
    options = ["--method", "pca", "--neighbors", "3", "--metric", "euclidean"]
    drawn = CliRunner().invoke(embed, ["plot", str(path), *options])
    assert drawn.exit_code == 0, drawn.output
    assert drawn.stdout.splitlines()[0] == str(path.with_name("emb-pca.png"))
    classified = CliRunner().invoke(embed, ["knn", str(path)])
    assert classified.exit_code == 0, classified.output
    assert "neighbours" in classified.stdout
    assert classified.stdout.splitlines()[-1] == f"Written to {path.parent}/emb-knn"


def test_commands_print_one_json_value(stored, with_images, undrawn):
    path = stored(with_images)
    drawn = json.loads(CliRunner().invoke(embed, ["plot", str(path), "--method", "pca", "--json"]).stdout)
    assert drawn["structure"]["k"] == 10 and drawn["structure"]["metric"] == "cosine"
    classified = json.loads(CliRunner().invoke(embed, ["knn", str(path), "--json", "--threshold-rule", "0.4"]).stdout)
    assert classified["decision"]["threshold"]["value"] == 0.4 and set(classified["splits"]) == {"val", "test"}


def test_command_offers_what_the_library_has():
    offered = {option.name: option for option in embed.commands["plot"].params}
    assert set(offered["metric"].type.choices) == set(METRICS) and offered["metric"].default == DEFAULT_METRIC
    assert tuple(offered["method"].type.choices) == METHODS and offered["k"].default == DEFAULT_NEIGHBORS
    assert offered["shown"].default == SHOWN_IMAGES


@pytest.mark.slow
def test_commands_on_files_start_no_tensorflow(stored, with_images):
    path = stored(with_images)
    code = (
        "import sys\nfrom medxray.cli import cli\n"
        f"for words in (['embed', 'knn', {str(path)!r}], ['embed', 'plot', {str(path)!r}]):\n"
        "    cli.main(words, standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"
