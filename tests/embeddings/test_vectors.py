"""The file of embeddings: what it holds, and what is refused."""

import dataclasses
import os
import zipfile

import numpy as np
import pytest

from medxray.embeddings.vectors import read_embeddings, write_embeddings
from medxray.errors import DataError

TEXTS = ("ids", "patients", "labels", "subtypes", "splits", "digests")


@pytest.fixture
def stored(simulate, tmp_path):
    """A written file and the arrays in it."""
    path = tmp_path / "embeddings.npz"
    write_embeddings(path, simulate(20))
    with np.load(path, allow_pickle=False) as file:
        return path, {name: file[name] for name in file.files}


@pytest.mark.parametrize("k", [2, 3])
def test_what_is_written_is_read_again(simulate, tmp_path, k):
    written = simulate(30, k)
    write_embeddings(tmp_path / "a.npz", written)
    read = read_embeddings(tmp_path / "a.npz")
    for field in dataclasses.fields(written):
        np.testing.assert_array_equal(getattr(read, field.name), getattr(written, field.name))
    assert read.vectors.dtype == np.float32 and read.positive == ("PNEUMONIA" if k == 2 else None)
    assert list(read.y_true) == [read.classes.index(label) for label in read.labels]


def test_file_holds_no_pickled_object(stored):
    _, arrays = stored
    assert {name: array.dtype.kind for name, array in arrays.items() if array.dtype.kind != "U"} == {"vectors": "f"}


def test_rows_are_chosen_together(make_embeddings):
    found = make_embeddings([[0.0], [1], [2]], [0, 1, 1], splits=["train", "test", "val"])
    part = found.in_splits("test", "val")
    assert list(part.ids) == ["0001.png", "0002.png"] and part.vectors.tolist() == [[1.0], [2.0]]
    assert list(part.y_true) == [1, 1] and len(found.where([2])) == 1


def test_ids_count_from_the_root_and_absolute_ones_stay(make_embeddings, tmp_path):
    found = make_embeddings([[0.0], [1]], [0, 1], ids=["a/b.png", "/else/c.png"], root=tmp_path)
    assert [str(file) for file in found.files()] == [str(tmp_path / "a/b.png"), "/else/c.png"]


class Attack:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_pickled_objects_are_refused_and_never_loaded(stored, tmp_path):
    path, arrays = stored
    arrays["ids"] = np.array([Attack(tmp_path / "trace")] * len(arrays["ids"]), object)
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="pickled objects.*nothing of it was loaded.*medxray embed extract"):
        read_embeddings(path)
    assert not (tmp_path / "trace").exists()


def test_foreign_and_damaged_files_are_refused(stored, tmp_path):
    path, _ = stored
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    np.save(tmp_path / "single.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("no npz")
    (tmp_path / "half.npz").write_bytes(path.read_bytes()[:600])
    flipped = bytearray(path.read_bytes())
    flipped[300] ^= 255
    (tmp_path / "flipped.npz").write_bytes(flipped)
    for name, reason in {
        "foreign.npz": "not a file of medxray embeddings: it has no array",
        "single.npy": "is no npz file",
        "text.npz": "damaged",
        "half.npz": "damaged",
        "flipped.npz": "damaged",
        "gone.npz": "No such file",
    }.items():
        with pytest.raises(DataError, match=reason):
            read_embeddings(tmp_path / name)


def test_archive_with_a_false_size_is_refused(stored, tmp_path):
    path, _ = stored
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (900000000000, 4000), }"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("huge.npy", header.ljust(127) + b"\n")
    with pytest.raises(DataError, match="damaged"):
        read_embeddings(path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("vectors", lambda array: array.astype(np.float64), "'vectors' must be a float32 array"),
        ("vectors", lambda array: array * np.nan, "'vectors' must hold finite numbers"),
        ("vectors", lambda array: array[:0], "'vectors' must hold finite numbers"),
        ("labels", lambda array: array[:-1], "'labels' must have one entry per vector: 20, received 19"),
        ("labels", lambda array: np.full(len(array), "OTHER"), "'labels' must be among NORMAL, PNEUMONIA"),
        ("splits", lambda array: np.full(len(array), "dev"), "'splits' must be among train, val, test or empty"),
        ("ids", lambda array: np.full(len(array), "same.png"), "'ids' must be different"),
        ("patients", lambda array: np.arange(len(array)), "'patients' must be a list of texts"),
        ("classes", lambda array: array[:1], "'classes' must be two or more"),
        ("positive", lambda array: np.array("NORMAL"), "'positive' must be the last of two classes"),
        ("ids", lambda array: np.char.add(array, "\udcff"), "'ids' must be free of control characters"),
        ("run", lambda array: np.array("a\x1b[2Jb"), "'run' and 'root' must be free of control characters"),
        ("root", lambda array: np.array("/\udcff\x1b[2J"), "'run' and 'root' must be free of control characters"),
        ("kind", lambda array: np.array("other"), "its kind is another"),
    ],
)
def test_parts_that_do_not_fit_together_are_named(stored, name, change, message):
    path, arrays = stored
    np.savez(path, **{**arrays, name: change(arrays[name])})
    with pytest.raises(DataError, match=message):
        read_embeddings(path)


@pytest.mark.parametrize("name", [*TEXTS, "vectors", "classes", "model_digest", "root"])
def test_a_missing_part_is_named(stored, name):
    path, arrays = stored
    np.savez(path, **{key: array for key, array in arrays.items() if key != name})
    with pytest.raises(DataError, match=f"it has no array '{name}'"):
        read_embeddings(path)
