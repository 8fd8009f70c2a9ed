"""Pooled features of a run's images and of other data."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from medxray import api
from medxray.cli.embed import embed
from medxray.data.phantom.draw import generate_phantoms
from medxray.embeddings import extract as extraction
from medxray.embeddings.vectors import read_embeddings
from medxray.errors import DataError, RunError, StorageError
from medxray.system.storage import file_sha256


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the small trained run without embeddings, for a test to write into."""
    shutil.copytree(trained.path, tmp_path / "small", ignore=shutil.ignore_patterns("embeddings*"))
    return api.load_run(tmp_path / "small")


def test_own_images_are_those_of_the_split_table(run):
    found, path = extraction.extract(run)
    table = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    assert path == run.path / "embeddings.npz"
    arrays = {"path": found.ids, "label": found.labels, "split": found.splits, "subtype": found.subtypes}
    for column, array in arrays.items():
        assert list(array) == list(table[column])
    assert list(found.patients) == list(table["patient_id"]) and found.classes == run.classes
    assert found.digests[3] == file_sha256(found.files()[3]) and found.run == "small"
    np.testing.assert_array_equal(read_embeddings(path).vectors, found.vectors)


def test_the_rest_of_the_head_turns_vectors_into_the_models_logits(run):
    from medxray.models.classifier import suffix

    found, _ = extraction.extract(run, splits=("test",))
    logits = suffix(run.model, "pooled")(found.vectors).numpy().astype(float)
    raw = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    expected = run.predict(found.files())["raw_probability"]
    np.testing.assert_allclose(raw, expected, atol=1e-5)
    assert found.vectors.dtype == np.float32


def test_digest_is_that_of_the_weights(run):
    from medxray.models.inference import weights_digest

    before = extraction.extract(run, splits=("val",))[0].model_digest
    assert before == weights_digest(run.model) and len(before) == 64
    kernel, bias = run.model.get_layer("logits").get_weights()
    run.model.get_layer("logits").set_weights([kernel, bias + 1e-3])
    assert extraction.extract(run, splits=("val",))[0].model_digest != before


def test_splits_are_named_in_the_file(run, tmp_path):
    found, path = extraction.extract(run, splits=("val", "test"))
    assert path.name == "embeddings-val-test.npz" and set(found.splits) == {"val", "test"}
    assert extraction.extract(run, splits=("val",), out=tmp_path / "x.npz")[1] == tmp_path / "x.npz"


def test_the_runs_own_data_keep_its_splits(run, phantoms):
    found, path = extraction.extract(run, run.record["data"]["root"])
    assert path == run.path / "embeddings.npz" and set(found.splits) == {"train", "val", "test"}


def test_the_runs_own_data_keep_its_splits_where_they_have_moved_and_serve_for_neighbours(run):
    new = run.record["data"]["root"]
    run.record["data"] |= {"root": "/gone", "source": "/gone"}
    with pytest.raises(DataError, match="below /gone .* or name the new place with --data.$"):
        extraction.extract(run)
    found, path = extraction.extract(run, new)
    assert path == run.path / "embeddings.npz" and set(found.splits) == {"train", "val", "test"} and found.root == new
    (neighbors,) = run.similar(found.files()[:1], count=2).values()
    assert all(Path(one.path).is_file() for one in neighbors)


def test_a_table_in_the_folder_of_the_runs_data_is_other_data(run):
    table = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    root = Path(run.record["data"]["root"])
    part = table.loc[table["split"] == "test", ["path", "label"]]
    part.assign(path=[str(root / path) for path in part["path"]]).to_csv(run.path / "other.csv", index=False)
    run.record["data"] |= {"root": str(run.path), "source": str(run.path)}
    found, path = extraction.extract(run, run.path / "other.csv", columns={"path_col": "path", "label_col": "label"})
    assert path.parent.parent == run.path / "external" and set(found.splits) == {""} and len(found) == len(part)


def test_one_split_needs_only_its_own_files(run):
    table = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    gone = table.index[table["split"] == "test"][0]
    table.loc[gone, "path"] = "gone.jpeg"
    table.to_csv(run.path / "split.csv", index=False)
    found, _ = extraction.extract(run, splits=("val",))
    assert len(found) == (table["split"] == "val").sum()
    with pytest.raises(DataError, match="There is no file 'gone.jpeg'"):
        extraction.extract(run)


@pytest.fixture
def other(run, tmp_path):
    """Class folders without splits; one image is damaged, and one is a training image of the run."""
    generate_phantoms(tmp_path / "new", patients=5, size=64, seed=99)
    (tmp_path / "new" / "chest_xray" / "train").rename(tmp_path / "other")
    table = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    learned = Path(run.record["data"]["root"]) / table["path"][table["split"] == "train"].iloc[0]
    shutil.copy(learned, tmp_path / "other" / learned.parent.name / "learned.jpeg")
    (tmp_path / "other" / "NORMAL" / "half.jpeg").write_bytes(learned.read_bytes()[:400])
    return tmp_path / "other"


def test_other_data_go_beside_the_run_and_bad_files_are_left_out(run, other, caplog):
    with caplog.at_level("INFO", logger="medxray"):
        found, path = extraction.extract(run, other)
    assert path.name == "embeddings.npz" and path.parent.parent == run.path / "external"
    assert re.fullmatch("other-[0-9a-f]{6}", path.parent.name)
    assert set(found.splits) == {""} and len(found) == len(list(other.rglob("*.jpeg"))) - 2
    assert "Left out" in caplog.text and "half.jpeg" in caplog.text
    assert "1 of 17 images are the same files as training" in caplog.text
    assert not any("learned" in name or "half" in name for name in found.ids)
    with pytest.raises(DataError, match="has no image in: test. Choose another --split"):
        extraction.extract(run, other, splits=("test",))


def test_nothing_readable_is_an_error(run, other):
    manifest = extraction.other_manifest(run, other)
    with pytest.raises(DataError, match="No image of .* can be read"):
        extraction.embed(run, manifest.where(manifest.table["path"].str.contains("half")))


def test_training_vectors_are_computed_once(run, monkeypatch):
    first = extraction.training_embeddings(run)
    monkeypatch.setattr(run, "embed_manifest", None)
    second = extraction.training_embeddings(run)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    table = pd.read_csv(run.path / "split.csv")
    assert list(second.ids) == list(table["path"][table["split"] == "train"])


def test_vectors_that_cannot_be_kept_are_used_with_a_warning(run, monkeypatch, caplog):
    def full(path, embeddings):
        raise StorageError(f"Could not write {path}: No space left on device.")

    monkeypatch.setattr(extraction, "write_embeddings", full)
    with caplog.at_level("WARNING", logger="medxray"):
        found = extraction.training_embeddings(run)
    assert len(found) and "used, but not kept. Could not write" in caplog.text and "embeddings.npz" in caplog.text


def test_an_interrupted_extraction_leaves_no_file(run, monkeypatch):
    from medxray import trained_run as module

    batches = module.predict_batches

    def interrupted(model, stream):
        def first_only():
            yield next(iter(stream))
            raise KeyboardInterrupt

        return batches(model, first_only())

    monkeypatch.setattr(module, "predict_batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extraction.training_embeddings(run)
    assert not run.directory.embeddings_file.exists() and not list(run.path.glob(".partial*"))
    monkeypatch.undo()
    assert len(extraction.training_embeddings(run))


def test_vectors_of_other_weights_are_refused(run):
    extraction.extract(run)
    kernel, bias = run.model.get_layer("logits").get_weights()
    run.model.get_layer("logits").set_weights([kernel * 1.5, bias])
    with pytest.raises(RunError, match=r"other weights than those of .*model\.keras.*medxray embed extract"):
        extraction.training_embeddings(run)


def test_a_file_without_training_images_is_refused(run):
    extraction.extract(run, splits=("test",), out=run.directory.embeddings_file)
    with pytest.raises(RunError, match="holds no training image. Write it again with: medxray embed extract"):
        extraction.training_embeddings(run)


def test_a_damaged_file_is_refused(run):
    run.directory.embeddings_file.write_text("no npz")
    with pytest.raises(DataError, match="is damaged"):
        extraction.training_embeddings(run)


def test_command_tells_what_it_wrote(run):
    answer = CliRunner().invoke(embed, ["extract", str(run.path), "--split", "test"])
    assert answer.exit_code == 0, answer.output
    count = (pd.read_csv(run.path / "split.csv")["split"] == "test").sum()
    assert answer.stdout == f"{run.path}/embeddings-test.npz: {count} images, 512 features\n"


def test_an_output_that_cannot_be_written_stops_before_an_image_is_read(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="Could not write"):
        extraction.extract(None, out=tmp_path / "file" / "a.npz")
