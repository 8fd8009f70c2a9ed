"""Cross-validation from the command to the pooled report."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from medxray.cli.train import train
from medxray.errors import ConfigError
from medxray.runs.study_directory import StudyDir
from medxray.studies.folds import OUT_OF_FOLD

OPTIONS = "--arch shallow-cnn --image-size 32 --epochs 1 --no-export".split()


@pytest.fixture(scope="module")
def study(phantoms, tmp_path_factory):
    """A cross-validation with two folds, and what it printed."""
    folder = tmp_path_factory.mktemp("study")
    words = [*OPTIONS, "--data", phantoms, "--runs-dir", folder, "--name", "two", "--kfold", 2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medxray.evaluation.report.draw_evaluation", lambda *parts, **options: None)
        result = CliRunner().invoke(train, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return StudyDir(folder / "two"), result.stdout


@pytest.mark.slow
def test_every_image_is_tested_by_a_model_that_did_not_see_its_patient(study):
    study, _ = study
    table = pd.read_csv(study.predictions_file, keep_default_na=False)
    splits = {k: pd.read_csv(study.member(k).split_file, keep_default_na=False) for k in (1, 2)}
    assert len(table) == len(splits[1]) == table["path"].nunique()
    for fold, part in table.groupby("fold"):
        learned = splits[fold][splits[fold]["split"] != "test"]
        assert not set(part["patient_id"]) & set(learned["patient_id"])


@pytest.mark.slow
def test_the_pooled_labels_are_those_of_each_fold_with_its_own_threshold(study):
    study, printed = study
    report = json.loads(study.report_file.read_text())
    table = pd.read_csv(study.predictions_file, keep_default_na=False)
    pooled = report["pooled"]
    assert pooled["split"] == OUT_OF_FOLD and pooled["n"] == report["n"] == len(table)
    assert pooled["accuracy"]["value"] == pytest.approx((table["label"] == table["y_true"]).mean())
    truth = (table["y_true"] == "PNEUMONIA").to_numpy(float)
    assert pooled["brier"]["value"] == pytest.approx(np.mean((table["probability"].astype(float) - truth) ** 2))
    assert len(report["figures"]["auroc"]["values"]) == 2
    assert "pooled, 95 % by patient" in printed and "fold 2" in printed


def test_what_says_the_split_already_is_refused_before_anything_is_made(phantoms, tmp_path):
    words = [
        *OPTIONS,
        "--data",
        phantoms,
        "--runs-dir",
        tmp_path / "runs",
        "--kfold",
        2,
        "--split-file",
        tmp_path / "s.csv",
    ]
    result = CliRunner().invoke(train, list(map(str, words)))
    assert isinstance(result.exception, ConfigError) and not (tmp_path / "runs").exists()
    assert "--kfold makes its own splits. Leave --split-file out" in str(result.exception)
