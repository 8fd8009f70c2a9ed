"""Bit-identical reruns, and resuming after SIGKILL at any moment."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

slow = pytest.mark.slow
_TRAIN_THEN_RESUME = """
import json, sys
from medxray.plots import run_plots
run_plots.draw_evaluation = lambda *parts, **options: None  # pictures take most of the time
from medxray.backend import load_tensorflow
load_tensorflow()
from medxray.cli.train import train
for words in json.loads(sys.argv[1]):
    sys.stdin.readline()
    train.main(words[1:], standalone_mode=False)
"""


def arguments(phantoms, folder, extra):
    shared = ["train", "--data", str(phantoms), "--deterministic", "--seed", "5", "--image-size", "32", "--no-export"]
    shared += ["--runs-dir", str(folder / "runs"), "--cache-dir", str(folder / "cache"), "--name", "it"]
    return shared + ["--weights", "none", "--batch-size", "16", "--head-units", "8", *extra]


FINETUNE = ["--arch", "vgg16", "--mode", "finetune", "--epochs", "3", "--head-epochs", "3"]
SCRATCH = ["--arch", "shallow-cnn", "--epochs", "4", "--schedule", "plateau"]


def outcome(folder):
    """Everything that must be equal to the bit."""
    import keras

    run = folder / "runs" / "it"
    model = keras.models.load_model(run / "model.keras")
    history = pd.read_csv(run / "history.csv").drop(columns="seconds")
    return {
        "weights": [weight.tobytes() for weight in model.get_weights()],
        "history": history.to_csv(),
        "predictions": (run / "predictions.csv").read_text(),
        "metrics": (run / "metrics.json").read_text(),
        "split": (run / "split.csv").read_text(),
    }


def history_rows(run):
    file = run / "history.csv"
    return len(file.read_text().splitlines()) - 1 if file.exists() else 0


MOMENTS = {
    "at once": lambda run, cache: (run / "run.json").exists(),
    "with the split made": lambda run, cache: (run / "split.csv").exists(),
    "with the first model saved": lambda run, cache: (run / "checkpoint" / "initial.keras").exists(),
    "in the first epochs": lambda run, cache: history_rows(run) >= 1,
    "in the second stage": lambda run, cache: history_rows(run) >= 6,
    "in the evaluation": lambda run, cache: (run / "model.keras").exists(),
}


def kill_when(process, condition, run, cache):
    """Kill with SIGKILL when the condition holds; False when the process ended before."""
    while process.poll() is None:
        if condition(run, cache):
            process.kill()
            process.communicate()
            return True
        time.sleep(0.002)
    process.communicate()
    return False


@pytest.mark.slow
def test_a_run_killed_after_its_first_epoch_ends_bit_identical(phantoms, start, tmp_path):
    """The short form of what follows: two processes, started together."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run = cut / "runs" / "it"
    killed = start(arguments(phantoms, cut, [*SCRATCH, "--limit", "48"]))
    both = [arguments(phantoms, whole, [*SCRATCH, "--limit", "48"]), ["train", "--resume", str(run)]]
    words = [sys.executable, "-c", _TRAIN_THEN_RESUME, json.dumps(both)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as other:
        other.stdin.write("train\n")
        other.stdin.flush()
        assert kill_when(killed, lambda run, cache: (run / "checkpoint" / "state.npz").exists(), run, None)
        assert json.loads((run / "run.json").read_text())["state"] == "running" and not (run / "model.keras").exists()
        _, errors = other.communicate("resume\n", timeout=300)
    assert other.returncode == 0, errors
    assert history_rows(run) == 5 and outcome(cut) == outcome(whole)
    assert json.loads((run / "run.json").read_text())["state"] == "completed"


@pytest.fixture(scope="module", params=[FINETUNE, SCRATCH], ids=["finetune", "scratch"])
def uninterrupted(request, phantoms, finish, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    finish(arguments(phantoms, folder, request.param))
    return request.param, outcome(folder)


@slow
def test_rerun_is_bit_identical(uninterrupted, phantoms, finish, tmp_path):
    extra, expected = uninterrupted
    finish(arguments(phantoms, tmp_path, extra))
    assert outcome(tmp_path) == expected


@slow
def test_run_killed_again_and_again_ends_bit_identical(uninterrupted, phantoms, start, tmp_path):
    extra, expected = uninterrupted
    run, cache = tmp_path / "runs" / "it", tmp_path / "cache"
    process, killed = start(arguments(phantoms, tmp_path, extra)), []
    for moment, condition in MOMENTS.items():
        if not kill_when(process, condition, run, cache):
            break
        killed.append(moment)
        assert json.loads((run / "run.json").read_text())["state"] == "running"
        process = start(["train", "--resume", str(run)])
    process.communicate(timeout=300)
    assert process.returncode == 0
    assert len(killed) >= 4  # a fast machine may finish a phase before the kill lands
    assert outcome(tmp_path) == expected
    assert json.loads((run / "run.json").read_text())["state"] == "completed"


@slow
def test_kill_while_the_cache_is_written_is_made_good(uninterrupted, phantoms, start, finish, tmp_path):
    extra, expected = uninterrupted
    if "finetune" not in extra:
        pytest.skip("training from scratch has no cache")
    run, cache = tmp_path / "runs" / "it", tmp_path / "cache"
    process = start(arguments(phantoms, tmp_path, extra))
    assert kill_when(process, lambda run, cache: any(Path(cache).glob("*/rows.f16")), run, cache)
    finish(["train", "--resume", str(run)])
    assert outcome(tmp_path) == expected


@slow
def test_interrupt_leaves_the_best_epoch_usable_and_can_be_resumed(uninterrupted, phantoms, start, finish, tmp_path):
    extra, expected = uninterrupted
    run = tmp_path / "runs" / "it"
    process = start(arguments(phantoms, tmp_path, extra))
    stage_one = 5 if "finetune" in extra else 3  # in fine-tuning, the first epoch of the second stage is cut off
    while process.poll() is None and history_rows(run) < stage_one:
        time.sleep(0.002)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and "--resume" in errors, errors
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"

    from medxray import load_run

    table = load_run(run).predict([phantoms])
    assert (table["error"] == "").all() and np.isfinite(table["probability"]).all()
    finish(["train", "--resume", str(run)])
    assert outcome(tmp_path) == expected


@slow
def test_complete_run_is_not_resumed(trained, start):
    process = start(["train", "--resume", str(trained.path)])
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and "is complete; there is nothing to resume" in errors
