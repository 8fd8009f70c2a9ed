import errno
import hashlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from medxray.errors import StorageError
from medxray.system import storage


def test_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "file.txt"
    storage.write_text(target, "old")
    with pytest.raises(RuntimeError), storage.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_full_disk_becomes_one_line_with_a_remedy(tmp_path):
    with pytest.raises(StorageError, match="Could not write .*x.txt: No space left on device. Free disk space"):
        with storage.atomic_path(tmp_path / "x.txt"):
            raise OSError(errno.ENOSPC, "full")
    assert os.listdir(tmp_path) == []


def test_real_write_failure_is_a_storage_error(tmp_path):
    """A file-size limit makes the kernel refuse the write, as a full disk does."""
    resource = pytest.importorskip("resource")
    code = (
        "import resource, signal, sys, numpy as np\n"
        "from medxray.system import storage\nfrom medxray.errors import StorageError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    storage.write_npz(sys.argv[1], a=np.zeros(100000))\n"
        "except StorageError as error:\n    print('refused', error)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.npz")], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("refused Could not write")
    assert os.listdir(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096 and signal.getsignal(signal.SIGXFSZ) is not None


def test_files_are_written_where_folders_cannot_be_opened(tmp_path, monkeypatch):
    opened = os.open

    def as_on_windows(path, *words, **options):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *words, **options)

    monkeypatch.setattr(os, "open", as_on_windows)
    storage.write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").read_text() == "text" and os.listdir(tmp_path) == ["a.txt"]


def test_json_holds_no_nan_and_no_numpy_types(tmp_path):
    storage.write_json(tmp_path / "a.json", {"a": np.float32(1.5), "b": [np.nan, np.int64(3)], "c": (tmp_path,)})
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"a": 1.5, "b": [None, 3], "c": [str(tmp_path)]}


def test_file_digest_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert storage.file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert storage.text_sha256("a", "bc") != storage.text_sha256("ab", "c")


def test_paths_that_are_not_utf8_can_be_told_and_hashed(tmp_path):
    name = os.fsdecode(b"d\xe9j\xe0")
    storage.write_text(tmp_path / "a.md", f"root: {name}")
    assert (tmp_path / "a.md").read_text() == r"root: d\udce9j\udce0"
    assert storage.text_sha256(name) == hashlib.sha256(b"d\xe9j\xe0").hexdigest()


def test_stems_are_numbered_when_taken_whatever_their_case():
    taken = set()
    stems = [storage.free_stem(stem, taken) for stem in ("a", "A", "b", "a-2", "a")]
    assert stems == ["a", "A-2", "b", "a-2-2", "a-3"]


@pytest.mark.parametrize("name", ["x" * 251, "é" * 125, "x" * 239 + "é", "\udcff" * 250])
def test_a_stem_too_long_for_a_name_is_shortened_in_the_middle(tmp_path, name):
    taken = set()
    stems = [storage.free_stem(f"{name}-anomaly", taken) for _ in range(2)]
    assert stems[0] != stems[1]
    for stem in stems:
        storage.write_text(tmp_path / f"{stem}.png", "x")
    assert stems[0].endswith("-anomaly") and "..." in stems[0]


@pytest.mark.parametrize("inner", ["", "deep/er"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, inner):
    (tmp_path / "file").write_text("in the way")
    storage.check_place(tmp_path / "new" / inner)
    storage.check_place(tmp_path / "new" / inner / "a.npz", file=True)
    storage.check_place(tmp_path / "file", file=True)
    for target, file in (
        (tmp_path / "file" / inner, False),
        (tmp_path / "file" / inner / "a.npz", True),
        (tmp_path, True),
    ):
        with pytest.raises(StorageError, match="Could not write .*choose another folder"):
            storage.check_place(target, file=file)


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StorageError, match="Permission denied"):
        storage.check_place(tmp_path / "new")
