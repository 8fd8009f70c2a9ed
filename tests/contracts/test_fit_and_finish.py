"""Every kind of run keeps fit apart from finish: a fit touches no test image and leaves no evaluation behind."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medxray import AnomalyConfig, TrainConfig
from medxray.data import image_stream, pipeline
from medxray.errors import DataError, RunError
from medxray.metrics.predictions import Predictions
from medxray.run_kinds import KINDS
from medxray.training.dataset import choose_manifest
from medxray.training.execution import finish, fit, resume_run, start_run

slow = pytest.mark.slow
NETWORK = {"arch": "shallow-cnn", "weights": "none"}
EPOCHS = {"epochs": 2, "batch_size": 16, "deterministic": True}
CONFIGS = {
    "extract": (TrainConfig, {"mode": "extract", "views": 1, **NETWORK, **EPOCHS}),
    "scratch": (TrainConfig, {"mode": "scratch", "arch": "shallow-cnn", **EPOCHS}),
    "autoencoder": (AnomalyConfig, {"method": "autoencoder", "bottleneck": 4, **EPOCHS}),
    "padim": (AnomalyConfig, {"method": "padim", "dimensions": 4, "deterministic": True, **NETWORK}),
}
FITTED_FILES = {"run.json", "split.csv", "content.csv", "history.csv", "checkpoint"}


@pytest.fixture(autouse=True)
def _repeatable(without_plots):
    """Leave out the plots, which take most of the time, and switch op determinism off for the tests that follow."""
    from tensorflow.python.framework import config

    yield
    config.disable_op_determinism()


@pytest.fixture
def configured(phantoms, tmp_path):
    """Function (name, folder name, **changes) -> (configuration, kind) of a small run in a folder of its own."""

    def build(name, folder="it", **changes):
        kind, options = CONFIGS[name]
        names = ("runs_dir", "saved_models_dir", *(() if name == "autoencoder" else ("cache_dir",)))
        places = {place: str(tmp_path / folder / place) for place in names}
        values = {
            "data": str(phantoms),
            "image_size": 32,
            "name": "it",
            "export": False,
            **places,
            **options,
            **changes,
        }
        return kind(**values), KINDS[kind.TYPE]

    return build


@pytest.fixture
def decoded(monkeypatch):
    """Set of the files that have been decoded."""
    files, load = set(), image_stream.load_image

    def recorded(path, form, **wanted):
        files.add(Path(path))
        return load(path, form, **wanted)

    for module in (image_stream, pipeline):
        monkeypatch.setattr(module, "load_image", recorded)
    return files


def files_of(run, *splits):
    table = pd.read_csv(run.split_file, keep_default_na=False)
    return {Path(run.read_record()["data"]["root"]) / path for path in table.loc[table["split"].isin(splits), "path"]}


def _digests(file):
    content = file.read_bytes()
    return [content[at : at + 32].hex() for at in range(0, len(content), 32)]


def _content(run, *splits):
    """Digests of the images of some splits."""
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in files_of(run, *splits)}


def outcome(run):
    """Everything that must be equal to the bit."""
    import keras

    history = run.history_file
    return {
        "weights": [weight.tobytes() for weight in keras.models.load_model(run.model_file).get_weights()],
        "history": pd.read_csv(history).drop(columns="seconds").to_csv() if history.exists() else None,
        **{name: (run.path / name).read_text() for name in ("predictions.csv", "metrics.json", "split.csv")},
    }


@pytest.fixture
def damaged(phantoms, configured, tmp_path):
    """A copy of the phantoms in which one test image is cut off, and that image."""
    listed = choose_manifest(configured("scratch")[0].resolved())
    folder = tmp_path / "damaged"
    shutil.copytree(phantoms, folder)
    file = folder / listed.subset("test").files()[0].relative_to(phantoms)
    file.write_bytes(file.read_bytes()[:200])
    return folder, file


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[slow] if name in ("autoencoder", "scratch") else []) for name in CONFIGS]
)
def test_a_fit_decodes_no_test_image_and_leaves_no_evaluation(configured, decoded, tmp_path, name):
    fitted = fit(*configured(name, export=True))
    run = fitted.directory
    assert decoded == files_of(run, "train", "val") and files_of(run, "test")
    assert {file.name for file in run.path.iterdir()} - {".lock"} <= FITTED_FILES
    assert not {"decision", "gate", "export"} & set(run.read_record()) and not (tmp_path / "it/saved_models").exists()
    cached = {digest for file in tmp_path.glob("it/cache_dir/*/digests.bin") for digest in _digests(file)}
    assert bool(cached) == (name in ("extract", "padim")) and not cached & _content(run, "test")
    assert [row["epoch"] for row in fitted.history] == ([] if name == "padim" else [0, 1, 2])
    assert fitted.model.input_shape == (None, 32, 32, 1) and isinstance(fitted.validation, Predictions)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[slow] if name != "scratch" else []) for name in CONFIGS])
def test_fit_and_finish_equal_a_whole_training_to_the_bit(configured, name):
    fitted = fit(*configured(name, "parts"))
    parts, whole = finish(fitted), start_run(*configured(name, "whole"))
    assert parts.read_record()["state"] == "completed" and outcome(parts) == outcome(whole)
    table = pd.read_csv(parts.path / "predictions.csv").query("split == 'val'")
    logits = table[[column for column in table if column.startswith("logit_")]]
    np.testing.assert_allclose(logits, fitted.validation.logits, rtol=1e-6)
    assert set(parts.read_record()["seconds"]) == set(whole.read_record()["seconds"])


@slow
def test_a_fitted_run_can_be_finished_by_resuming_it(configured):
    config, kind = configured("extract", "parts")
    fitted = fit(config, kind)
    resumed = resume_run(fitted.directory.path, lambda record: KINDS[record["type"]])
    assert outcome(resumed) == outcome(start_run(*configured("extract", "whole")))
    with pytest.raises(RunError, match="is complete; there is nothing to resume"):
        finish(fitted)


@slow
def test_finish_leaves_damaged_test_images_out_as_a_whole_training_does(configured, damaged, caplog):
    folder, file = damaged
    caplog.set_level("INFO", logger="medxray")
    config, kind = configured("scratch", "parts", data=str(folder))
    fitted = fit(config, kind)
    run = fitted.directory
    assert "Left out" not in caplog.text and file in files_of(run, "test")
    finish(fitted)
    left_out = [line.getMessage() for line in caplog.records if "Left out" in line.getMessage()]
    assert len(left_out) == 1 and file.name in left_out[0]
    whole = start_run(*configured("scratch", "whole", data=str(folder)))
    assert outcome(run) == outcome(whole) and file not in files_of(run, "test")
    records = [one.read_record()["data"] for one in (run, whole)]
    assert records[0] == records[1] and len(records[0]["skipped"]) == 1
    assert run.content_file.read_text() == whole.content_file.read_text()


@slow
def test_strict_refuses_damaged_test_images_before_a_whole_training_and_when_a_fit_is_finished(
    configured, damaged, monkeypatch
):
    config, kind = configured("scratch", "parts", data=str(damaged[0]), strict=True)
    fitted = fit(config, kind)
    with pytest.raises(DataError, match="--strict: 1 of [0-9]+ files cannot be used"):
        finish(fitted)
    assert fitted.directory.read_record()["state"] == "failed" and not fitted.directory.metrics_file.exists()
    monkeypatch.setattr(kind.experiment, "fit", lambda *parts: pytest.fail("the training began"))
    with pytest.raises(DataError, match="--strict: 1 of [0-9]+ files cannot be used"):
        start_run(*configured("scratch", "whole", data=str(damaged[0]), strict=True))


@slow
@pytest.mark.parametrize("name", ["extract", "autoencoder"])
def test_listeners_get_each_epoch_with_the_values_of_the_history_file(configured, name):
    class Recorder:
        def __init__(self):
            self.rows = []

        def on_epoch(self, stage, epoch, values):
            self.rows.append({"stage": stage.name, "epoch": epoch, **values})

    recorder, (config, kind) = Recorder(), configured(name)
    fitted = fit(config, kind, [recorder])
    assert len(recorder.rows) == 3 and tuple(recorder.rows) == fitted.history
    written = pd.read_csv(fitted.directory.history_file, dtype={"view": str}).fillna({"view": ""})
    pd.testing.assert_frame_equal(written, pd.DataFrame(recorder.rows), check_exact=False, rtol=1e-6)


@slow
def test_many_fits_in_one_process_share_the_cache_and_do_not_change_each_other(configured):
    config, kind = configured("extract", "first")
    first = fit(config, kind)
    again = fit(dataclasses.replace(config, name="again"), kind)
    assert np.array_equal(first.validation.logits, again.validation.logits)
    assert outcome(finish(again)) == outcome(finish(first))
