"""Feature vectors of images with everything needed to use them later, in one npz file. No TensorFlow."""

import dataclasses
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from medxray.data.manifest import SPLITS, is_portable
from medxray.errors import DataError
from medxray.system import storage

_KIND = "medxray-embeddings"
_COLUMNS = ("ids", "patients", "labels", "subtypes", "splits", "digests")
_SCALARS = ("kind", "positive", "model_digest", "run", "root")
_REMEDY = "Write it again with: medxray embed extract RUN"


@dataclasses.dataclass(frozen=True, eq=False)
class Embeddings:
    """Pooled features of some images.

    Attributes:
        ids: str array (n,), path of each image as in the manifest: relative to `root`, or absolute.
        patients: str array (n,); an image of an unknown patient is a patient of its own.
        labels: str array (n,), name of the true class.
        subtypes: str array (n,), finer label, "" where there is none.
        splits: str array (n,), "train", "val", "test" or "".
        digests: str array (n,), SHA-256 of each file's bytes.
        vectors: float32 array (n, d).
        classes: names in the order of the model's outputs; of two classes the positive one is last.
        positive: name of the positive class, None with three or more.
        model_digest: SHA-256 over the weights of the model that made the vectors.
        run: name of the run of that model.
        root: folder that relative ids count from.
    """

    ids: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    subtypes: np.ndarray
    splits: np.ndarray
    digests: np.ndarray
    vectors: np.ndarray
    classes: tuple[str, ...]
    positive: str | None
    model_digest: str
    run: str
    root: str

    def __len__(self):
        """Number of images."""
        return len(self.ids)

    @property
    def y_true(self):
        """Labels as int64 array (n,), each an index into `classes`."""
        index = {name: position for position, name in enumerate(self.classes)}
        return np.array([index[str(label)] for label in self.labels], np.int64)

    def files(self):
        """Path of each image file (list of pathlib.Path), in row order."""
        return [Path(self.root) / name for name in self.ids]

    def where(self, mask):
        """The rows for which `mask` (bool array (n,) or index array) holds, in the same order."""
        rows = np.arange(len(self))[mask]
        columns = {name: getattr(self, name)[rows] for name in (*_COLUMNS, "vectors")}
        return dataclasses.replace(self, **columns)

    def in_splits(self, *names):
        """The rows of the named splits."""
        return self.where(np.isin(self.splits, names))


def write_embeddings(path, embeddings):
    """Write embeddings atomically as an npz of text and float32 arrays, none of them a pickled object."""
    arrays = {name: np.asarray(getattr(embeddings, name), dtype=str) for name in _COLUMNS}
    scalars = {"kind": _KIND, "positive": embeddings.positive or ""}
    scalars |= {name: getattr(embeddings, name) for name in ("model_digest", "run", "root")}
    storage.write_npz(
        path,
        **arrays,
        vectors=np.asarray(embeddings.vectors, np.float32),
        classes=np.array(embeddings.classes, dtype=str),
        **{name: np.array(text, dtype=str) for name, text in scalars.items()},
    )


def read_embeddings(path):
    """Read what `write_embeddings` wrote.

    Args:
        path: npz file.

    Returns:
        Embeddings.

    Raises:
        DataError: the file is missing, damaged, of another program, holds pickled objects (which are never loaded),
            or its parts do not fit together.
    """
    arrays = _arrays(Path(path))
    missing = [name for name in (*_SCALARS, *_COLUMNS, "classes", "vectors") if name not in arrays]
    if missing or _text(arrays["kind"]) != _KIND:
        lacking = f"it has no array {missing[0]!r}" if missing else "its kind is another"
        raise DataError(f"{path} is not a file of medxray embeddings: {lacking}. {_REMEDY}")
    _check(arrays, path)
    return Embeddings(
        **{name: arrays[name] for name in (*_COLUMNS, "vectors")},
        **{name: _text(arrays[name]) for name in ("model_digest", "run", "root")},
        classes=tuple(map(str, arrays["classes"])),
        positive=_text(arrays["positive"]) or None,
    )


def _arrays(path):
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}. {_REMEDY}") from error
    except (ValueError, TypeError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} is damaged, holds pickled objects or is no npz file; nothing of it was loaded. {_REMEDY}"
        ) from error


def _text(array):
    return str(array[()]) if array.ndim == 0 and array.dtype.kind == "U" else ""


def _printable(texts):
    return all(map(is_portable, texts))


def _without_bytes(path):
    """A path without what stands for its bytes that are not UTF-8 (PEP 383)."""
    return re.sub("[\udc80-\udcff]", "", path)


def _check(arrays, path):
    def expect(condition, what):
        if not condition:
            raise DataError(f"{path}: {what}. {_REMEDY}")

    vectors = arrays["vectors"]
    expect(vectors.dtype == np.float32 and vectors.ndim == 2, "'vectors' must be a float32 array of rows")
    expect(vectors.size and np.isfinite(vectors).all(), "'vectors' must hold finite numbers, at least one row")
    for name in (*_COLUMNS, "classes"):
        expect(arrays[name].dtype.kind == "U" and arrays[name].ndim == 1, f"'{name}' must be a list of texts")
        expect(_printable(arrays[name].tolist()), f"'{name}' must be free of control characters")
    scalars = [_text(arrays[name]) for name in _SCALARS if name != "root"] + [_without_bytes(_text(arrays["root"]))]
    expect(_printable(scalars), "'run' and 'root' must be free of control characters")
    for name in _COLUMNS:
        count = len(arrays[name])
        expect(count == len(vectors), f"'{name}' must have one entry per vector: {len(vectors)}, received {count}")
    classes = list(arrays["classes"])
    expect(len(classes) >= 2 and len(set(classes)) == len(classes), "'classes' must be two or more different names")
    positive = classes[-1] if len(classes) == 2 else ""
    expect(_text(arrays["positive"]) == positive, "'positive' must be the last of two classes, empty with more")
    expect(np.isin(arrays["labels"], classes).all(), f"'labels' must be among {', '.join(classes)}")
    expect(np.isin(arrays["splits"], (*SPLITS, "")).all(), f"'splits' must be among {', '.join(SPLITS)} or empty")
    expect(len(np.unique(arrays["ids"])) == len(vectors), "'ids' must be different from each other")
