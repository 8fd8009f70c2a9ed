"""One training with several seeds."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from medxray import api
from medxray.cli.train import train
from medxray.errors import MedxrayError, RunError
from medxray.runs.study_directory import StudyDir
from medxray.system import storage

pytestmark = pytest.mark.slow  # each trains several models

OPTIONS = "--arch shallow-cnn --image-size 32 --epochs 1 --no-export --limit 60".split()


def call(*words):
    return CliRunner().invoke(train, list(map(str, words)))


@pytest.fixture(scope="module")
def study(phantoms, tmp_path_factory):
    """A study that stopped after its first run and was resumed, and what it printed."""
    folder = tmp_path_factory.mktemp("study")
    words = [*OPTIONS, "--data", phantoms, "--runs-dir", folder, "--name", "three", "--seeds", 3, "--seed", 5]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medxray.evaluation.report.draw_evaluation", lambda *parts, **options: None)
        real, made = api.train, []

        def once(config):
            if made:
                raise KeyboardInterrupt
            made.append(config)
            return real(config)

        patch.setattr("medxray.api.train", once)
        assert call(*words).exit_code == 1
        patch.setattr("medxray.api.train", real)
        result = call("--resume", folder / "three")
    assert result.exit_code == 0, result.output
    return StudyDir(folder / "three"), result.stdout


def test_runs_differ_in_the_seed_alone_and_share_the_split(study):
    study, _ = study
    records = [member.read_record() for member in study.members()]
    assert [record["config"]["seed"] for record in records] == [5, 6, 7]
    assert {record["config"]["augment_seed"] for record in records} == {0}
    splits = [pd.read_csv(member.split_file).sort_values("path").reset_index(drop=True) for member in study.members()]
    assert splits[0].equals(splits[1]) and splits[0].equals(splits[2]) and len(splits[0]) == 60
    assert len({member.predictions_file.read_text() for member in study.members()}) == 3


def test_the_report_has_mean_and_deviation_over_seeds_apart_from_the_interval_by_patient(study):
    study, printed = study
    report = json.loads(study.report_file.read_text())
    auroc = report["figures"]["auroc"]
    stored = [
        json.loads(member.metrics_file.read_text())["splits"]["test"]["auroc"]["value"] for member in study.members()
    ]
    assert auroc["values"] == pytest.approx(stored) and auroc["mean"] == pytest.approx(sum(stored) / 3)
    assert auroc["by_patient"] is None or auroc["by_patient"][0] <= auroc["mean"] <= auroc["by_patient"][1]
    assert "seed 5" in printed and "sd over seeds" in printed and f"Study: {study.path}" in printed
    assert printed.count("Run: ") == 3


def test_a_study_is_no_run_and_is_not_overwritten(study, phantoms):
    study, _ = study
    with pytest.raises(RunError, match="is a study of several runs. Name one of them, such as"):
        api.load_run(study.path)
    words = [*OPTIONS, "--data", phantoms, "--runs-dir", study.path.parent, "--name", "three", "--seeds", 2]
    assert "exists already" in str(call(*words).exception)
    assert call("--seeds", 1).exit_code == 2 and call("--resume", study.path, "--seeds", 2).exit_code == 2
    assert call("--seeds", 2, "--kfold", 2).exit_code == 2


@pytest.mark.parametrize("study_options", [("--seeds", 2), ("--kfold", 2)])
def test_a_study_whose_data_cannot_be_read_leaves_no_folder(tmp_path, study_options):
    words = [*OPTIONS, "--data", tmp_path / "nowhere", "--runs-dir", tmp_path / "runs", *study_options]
    assert isinstance(call(*words).exception, MedxrayError)
    assert not [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]


def test_a_study_that_was_made_for_more_runs_than_it_holds_lists_those_it_holds(tmp_path):
    record = {"kind": "medxray-study", "runs": 10**12, "config": {}}
    for name in ("1", "2", "notes", "0", "01"):
        storage.write_json(tmp_path / name / "run.json", {})
    storage.write_json(tmp_path / "study.json", record)
    assert [member.name for member in StudyDir(tmp_path).members()] == ["1", "2"]
    storage.write_json(tmp_path / "study.json", record | {"runs": 0})
    with pytest.raises(RunError, match="is damaged: it needs config, runs with proper values"):
        StudyDir(tmp_path).members()
