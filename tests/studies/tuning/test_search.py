"""A search with trials that train nothing: processes, interruptions, pruning, what is refused, what is written."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import optuna
import pandas as pd
import pytest
from click.testing import CliRunner

from medxray.cli.runs import runs
from medxray.errors import ConfigError, DataError, RunError, TrainingError
from medxray.runs.directory import open_run
from medxray.runs.tuning_directory import TuningDir
from medxray.studies.tuning.database import STARTUP_TRIALS, WARM_UP
from medxray.studies.tuning.search import open_search
from medxray.training.config import TrainConfig, config_from_dict, read_config_file

_PROCESS = """
import logging, sys, time
from pathlib import Path
from medxray.studies.tuning.search import begin_search, run_search
from medxray.studies.tuning.space import search_space
from medxray.training.config import TrainConfig
runs_dir, trials, seconds, start = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
config = TrainConfig(name="it", runs_dir=runs_dir, data=runs_dir + "/data")
def split(config, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("path,label,subtype,patient_id,split\\n")
def trial(values, folder, report):
    folder.mkdir(parents=True)
    time.sleep(seconds)
    return {"value": 1 - abs(values["dropout"] - 0.3), "ci95": None}
time.sleep(max(0.0, start - time.time()))
facts = dict(objective="auroc", judge_on="clean", trials=trials, pruning=True)
directory = begin_search(config, search_space(["dropout=0:0.5,l2"], config), split=split, **facts)
run_search(directory, lambda record: trial, seed=0)
"""


def process(folder, *, trials, seconds, start=0.0):
    words = [sys.executable, "-c", _PROCESS, str(folder), str(trials), str(seconds), str(start)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True)


def table_of(directory):
    return pd.read_csv(directory.trials_file)


def options_of(directory):
    return table_of(directory)[["dropout", "l2"]].to_numpy().tolist()


@pytest.mark.slow
def test_two_processes_that_begin_one_search_at_once_share_its_trials(tmp_path):
    both = [process(tmp_path, trials=6, seconds=0.3, start=time.time() + 4) for _ in range(2)]
    ends = [one.communicate(timeout=120)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], ends
    table = table_of(TuningDir(tmp_path / "it"))
    assert table["state"].tolist() == ["complete"] * 6 and table["dropout"].nunique() == 6
    assert not (tmp_path / "it" / "work").exists()


def test_a_killed_trial_is_marked_failed_told_and_made_up_for(begin, run, tmp_path, caplog):
    killed = process(tmp_path, trials=3, seconds=600)
    directory = TuningDir(tmp_path / "it")
    deadline = time.time() + 60
    while not list((tmp_path / "it").glob("work/*/0")):
        assert time.time() < deadline and killed.poll() is None, killed.stderr.read()
        time.sleep(0.1)
    assert directory.read_record()["state"] == "running"
    with pytest.raises(RunError, match="is being worked on by another process"), directory.in_use():
        pass
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert directory.read_record()["state"] == "interrupted"
    outcome = run(begin(trials=3))
    assert "Trial 0 was interrupted: its process ended" in caplog.text
    assert table_of(directory)["state"].tolist() == ["interrupted", "complete", "complete", "complete"]
    assert "1 interrupted (0: its process ended)" in "\n".join(outcome.lines)
    options = options_of(directory)
    assert options[0] == options[1] and not (tmp_path / "it" / "work").exists()
    assert directory.read_record()["state"] == "completed"
    begin_elsewhere = begin(trials=3, name="undisturbed")
    run(begin_elsewhere)
    assert options_of(begin_elsewhere) == options[1:]


@pytest.mark.slow
def test_a_search_repeats_with_its_seed_and_goes_on_as_if_it_had_not_ended(begin, run):
    whole, parts, other = (begin(trials=14, name=name) for name in ("whole", "parts", "other"))
    run(whole)
    open_search(parts.path, trials=3)
    run(parts)
    assert len(table_of(parts)) == 3
    run(open_search(parts.path, trials=14))
    run(other, seed=1)
    assert options_of(whole) == options_of(parts) != options_of(other)
    assert len({tuple(row) for row in options_of(whole)}) == 14


def test_enough_trials_begin_no_other(begin, run):
    run(begin())
    outcome = run(begin(), trial=None)
    assert outcome.counts["complete"] == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_trial_that_does_worse_than_the_median_is_pruned_after_its_warm_up(begin, run):
    made = []

    def trial(values, folder, report):
        made.append(values)
        value = 0.5 if len(made) > STARTUP_TRIALS else 0.9
        for epoch in range(1, 9):
            report(epoch, value)
        return {"value": value, "ci95": None}

    outcome = run(begin(trials=STARTUP_TRIALS + 2), trial)
    assert outcome.counts["pruned"] == [STARTUP_TRIALS, STARTUP_TRIALS + 1]
    table = table_of(TuningDir(begin(trials=STARTUP_TRIALS + 2).path))
    assert table["epochs"].tolist() == [8] * STARTUP_TRIALS + [WARM_UP + 1] * 2
    assert f"2 pruned ({STARTUP_TRIALS}, {STARTUP_TRIALS + 1})" in "\n".join(outcome.lines)
    made.clear()
    outcome = run(begin(trials=STARTUP_TRIALS + 2, pruning=False, name="whole"), trial)
    assert len(outcome.counts["complete"]) == STARTUP_TRIALS + 2


def test_a_trial_whose_loss_is_no_number_counts_as_failed_and_the_search_goes_on(begin, run):
    made = []

    def trial(values, folder, report):
        made.append(values)
        if len(made) == 2:
            raise TrainingError("The loss became nan.")
        return {"value": None if len(made) == 3 else 0.8, "ci95": None}

    outcome = run(begin(), trial)
    assert outcome.counts["failed"] == [1, 2] and len(made) == 4
    assert "2 failed (1: The loss became nan.; 2: Its figure is not a number.)" in "\n".join(outcome.lines)


@pytest.mark.parametrize("error", [DataError("No such folder."), KeyboardInterrupt()])
def test_an_error_that_every_trial_would_meet_ends_the_search_and_the_trial_does_not_count(begin, run, error):
    def trial(values, folder, report):
        raise error

    with pytest.raises(type(error)):
        run(begin(), trial)
    outcome = run(begin())
    assert outcome.counts["interrupted"] == [0] and outcome.counts["complete"] == [1, 2, 3, 4]


def test_a_search_without_any_value_is_an_error_in_one_line(begin, run):
    def trial(values, folder, report):
        raise TrainingError("The loss became nan.")

    with pytest.raises(RunError, match=r"No trial of .*it has a value \(4 failed \(0: The loss became nan") as raised:
        run(begin(), trial)
    assert "\n" not in str(raised.value)
    assert not TuningDir(begin().path).best_file.exists()


def test_the_lowest_value_is_the_best_of_a_loss(begin, run):
    outcome = run(begin(objective="nll"))
    values = table_of(begin(objective="nll"))["value"]
    assert outcome.best["value"] == values.min() < values.max()


def test_best_toml_holds_the_best_and_the_fixed_options_as_train_takes_them(begin, run, tmp_path):
    search = "dropout=0:0.5,l2,head-norm,augment=light/robust"
    directory = begin(search, mode="extract", epochs=3, label_map='a"b=NORMAL,c=PNEUMONIA', export=False)
    outcome = run(directory)
    values = read_config_file(directory.best_file)
    best = table_of(directory).set_index("trial").loc[outcome.best["trial"]]
    assert values["dropout"] == best["dropout"] and values["l2"] == best["l2"] and values["augment"] == best["augment"]
    assert values["head_norm"] is bool(best["head_norm"])
    fixed = {"mode": "extract", "epochs": 3, "label_map": 'a"b=NORMAL,c=PNEUMONIA', "export": False}
    assert (
        fixed.items() <= values.items()
        and values["data"] == str(tmp_path / "data")
        and not {"name", "saved_models_dir"} & set(values)
    )
    assert isinstance(config_from_dict(values).resolved(), TrainConfig)
    assert "optimistic" in directory.best_file.read_text()


def test_pictures_and_a_text_tell_what_was_found(begin, run):
    directory = begin(trials=20)
    lines = "\n".join(run(directory).lines)
    for name in ("history", "parallel", "importance"):
        for kind in ("png", "svg"):
            assert (directory.plots / f"{name}.{kind}").stat().st_size > 2000
    assert "Best: trial" in lines and "The best of 20 values" in lines and "optimistic" in lines
    assert "Seconds per complete trial: median" in lines and "Trials: 20 complete." in lines
    assert "dropout" in lines.split("among the best quarter:")[1].split(",")[0]
    few = begin(trials=2, name="few")
    assert "not said with fewer than" in "\n".join(run(few).lines) and not (few.plots / "importance.png").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "scratch"}, "was begun with --mode extract. Received scratch."),
        ({"data": "elsewhere"}, "was begun with --data .*. Received .*elsewhere."),
        ({"task": "folders"}, "was begun with --task not given. Received folders."),
        ({"objective": "nll"}, "was begun with --objective auroc. Received nll."),
        ({"search": "dropout"}, "was begun with --search dropout=0:0.5, l2=1e-06:0.01. Received dropout=0:0.7."),
    ],
)
def test_a_search_takes_no_trials_of_other_options(begin, changes, message):
    begin(mode="extract")
    with pytest.raises(ConfigError, match=message):
        begin(**{"mode": "extract"} | changes)
    begin(mode="extract", cache_dir="other")


def other_study(file):
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    optuna.create_study(storage=storage, study_name="theirs")


def other_tables(file):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE patients (name TEXT)")


def our_other_study(file, begin):
    os.replace(begin(name="second").database_file, file)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_study, "is of another project: it holds the study 'theirs'"),
        (other_tables, "is no study of Optuna"),
        (lambda file: file.write_text("not a database " * 100), "is no study of Optuna"),
        (lambda file: file.write_bytes(b""), "holds no study: it is empty"),
        (lambda file: None, "is missing, and with it all trials"),
    ],
)
def test_a_database_that_is_not_the_searchs_own_is_refused_and_left_as_it_is(begin, run, make, message):
    directory = begin()
    directory.database_file.unlink()
    make(directory.database_file)
    before = directory.database_file.read_bytes() if directory.database_file.exists() else None
    with pytest.raises(RunError, match=message) as raised:
        run(begin())
    assert "\n" not in str(raised.value)
    assert before == (directory.database_file.read_bytes() if directory.database_file.exists() else None)


def test_the_database_of_another_search_is_refused(begin, run):
    our_other_study(begin().database_file, begin)
    with pytest.raises(RunError, match="belongs to another search than tuning.json beside it"):
        run(begin())


def test_what_is_in_the_way_is_not_overwritten(begin, tmp_path):
    (tmp_path / "it").mkdir()
    other_study(tmp_path / "it" / "study.db")
    with pytest.raises(RunError, match="study.db is of another project: there is no tuning.json of medxray beside it"):
        begin()
    with pytest.raises(RunError, match="study.db is of another project"):
        open_search(tmp_path / "it")
    (tmp_path / "it" / "study.db").rename(tmp_path / "it" / "notes")
    with pytest.raises(RunError, match="exists already and is no search for options"):
        begin()
    with pytest.raises(RunError, match="There is no search at"):
        open_search(tmp_path / "gone")


def test_a_search_is_listed_with_its_trials_and_removed_and_is_no_run(begin, run, tmp_path):
    run(begin(mode="extract"))
    directory = begin(mode="extract", trials=6)

    def call(*words):
        return CliRunner().invoke(runs, list(map(str, words)))

    (row,) = json.loads(call("--runs-dir", tmp_path, "--json").stdout)
    assert (row["name"], row["state"], row["auroc"]) == ("it", "interrupted", None)
    assert row["what"] == "vgg16 extract, 4 of 6 trials" and row["bytes"] > 0
    with pytest.raises(
        RunError, match="is a search for options and holds no model. Train what it found: medxray train"
    ):
        open_run(directory.path)
    assert "No failed or interrupted run" in call("prune", "--runs-dir", tmp_path, "--yes").stdout
    result = call("rm", directory.path, "--yes")
    assert result.exit_code == 0, result.output
    assert not directory.path.exists() and "(interrupted)" in result.stdout
