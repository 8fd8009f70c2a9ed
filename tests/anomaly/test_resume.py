"""Interrupted and killed anomaly runs."""

import io
import json
import time
from pathlib import Path

import pandas as pd
import pytest

from medxray import load_run, resume, train
from tests.fixtures.closeness import assert_close


def outcome(path):
    """Everything that must be equal to the bit."""
    model, history = load_run(path).model, path / "history.csv"
    splits = json.loads((path / "metrics.json").read_text())["splits"]
    return {
        "weights": [weight.tobytes() for weight in model.get_weights()],
        "score": model.get_layer("score").get_config(),
        "history": pd.read_csv(history).drop(columns="seconds").to_csv() if history.exists() else None,
        "predictions": (path / "predictions.csv").read_text(),
        "metrics": {
            name: split | {"shifts_sample": None} for name, split in splits.items()
        },  # its size follows the time
        "anomaly": json.loads((path / "run.json").read_text())["anomaly"],
    }


@pytest.mark.slow
def test_interrupted_autoencoder_is_usable_and_ends_bit_identical(
    small, phantoms, repeatable, bare, medxray, monkeypatch
):
    from medxray.training import loop

    whole = train(small("autoencoder", deterministic=True, epochs=3, export=False))
    config = small("autoencoder", deterministic=True, epochs=3, export=False)
    save = loop.save_state

    def save_then_stop(*parts, **options):
        save(*parts, **options)
        raise RuntimeError("INTERNAL: KeyboardInterrupt")  # as TensorFlow hands on Ctrl-C

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_state", save_then_stop)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    path = Path(config.runs_dir) / "autoencoder"
    assert json.loads((path / "run.json").read_text())["state"] == "interrupted"
    run = load_run(path)
    table = run.predict([phantoms], gate="off")
    assert (table["error"] == "").all() and (table["threshold"] == 0.5).all() and table["score"].notna().all()
    assert len(run.maps([next(phantoms.rglob("*.jpeg"))])[0]) == 1
    status, _, err = medxray("train", "--resume", path)  # either command goes on with a run of any kind
    assert status == 0, err
    assert outcome(path) == outcome(whole.path)
    assert json.loads((path / "run.json").read_text())["state"] == "completed"


@pytest.mark.slow
def test_patch_method_goes_on_where_the_cache_was_cut_off(small, padim, bare, monkeypatch):
    from medxray.training import prefix_cache

    config, append, written = small("padim", export=False), prefix_cache.Entry.append, []

    def stop_at_the_second(entry, digests, rows):
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(entry)
        append(entry, digests, rows)

    with monkeypatch.context() as patch:
        patch.setattr(prefix_cache.Entry, "append", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    path = Path(config.runs_dir) / "padim"
    assert json.loads((path / "run.json").read_text())["state"] == "interrupted" and not (path / "model.keras").exists()
    resume(path)
    found, expected = (
        done | {"predictions": pd.read_csv(io.StringIO(done["predictions"])).to_dict("list")}
        for done in map(outcome, (path, padim.path))
    )
    assert_close(found, expected)


def command(data, folder):
    words = ["anomaly", "train", "--method", "autoencoder", "--data", str(data), "--image-size", "32", "--epochs", "4"]
    return [*words, "--deterministic", "--no-export", "--name", "it", "--runs-dir", str(folder)]


@pytest.mark.slow
def test_killed_autoencoder_ends_bit_identical(phantoms, start, finish, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(command(phantoms, whole))
    process, run = start(command(phantoms, cut)), cut / "it"
    while process.poll() is None and not (run / "checkpoint" / "state.npz").exists():
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert json.loads((run / "run.json").read_text())["state"] == "running" and not (run / "model.keras").exists()
    finish(["anomaly", "train", "--resume", str(run)])
    assert outcome(run) == outcome(whole / "it")
