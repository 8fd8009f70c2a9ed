import errno
from types import SimpleNamespace

import numpy as np
import pytest

from medxray.data import pixels as kept_pixels
from medxray.data.pipeline import read_source
from medxray.data.pixels import DiskPlace
from medxray.data.rows import Rows
from medxray.errors import StorageError

FORM = {"size": (32, 40), "channels": 1, "resize": "letterbox"}


@pytest.fixture
def files(phantoms):
    return sorted(phantoms.rglob("*.jpeg"))[:9]


def test_pixels_beyond_memory_are_read_from_a_file_that_has_no_name(files, tmp_path, monkeypatch):
    memory, _ = read_source(files, **FORM)
    disk, _ = read_source(files, **FORM, limit=0, disk=DiskPlace(tmp_path / "cache", 10**9))
    assert isinstance(disk.pixels, Rows) and not list((tmp_path / "cache").iterdir())
    monkeypatch.setattr("medxray.data.pipeline.load_image", lambda *parts: pytest.fail("decoded again"))
    for rows in ([3, 0, 3, 2], np.array([1])):
        found = np.stack(list(disk.dataset(rows).as_numpy_iterator()))
        assert np.array_equal(found, memory.pixels[rows])
    some, others = (source.keep(np.array([4, 1])) for source in (disk, memory))
    assert isinstance(some.pixels, Rows) and some.files == others.files
    assert np.array_equal(some.pixels[:], others.pixels) and np.array_equal(some.bars, others.bars)


@pytest.mark.parametrize(("most", "free", "reason"), [(100, 10**9, "than --cache-budget"), (10**9, 100, "has left")])
def test_without_room_files_are_decoded_in_every_pass_and_it_is_said(
    files, tmp_path, monkeypatch, caplog, most, free, reason
):
    monkeypatch.setattr(kept_pixels.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    source, _ = read_source(files, **FORM, limit=0, disk=DiskPlace(tmp_path / "cache", most))
    assert source.pixels is None and reason in caplog.text and not (tmp_path / "cache").exists()
    assert len(list(source.dataset([1, 0]))) == 2


def test_a_disk_that_fills_up_is_one_clear_error(files, tmp_path, monkeypatch):
    class Full:
        def write(self, content):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(kept_pixels.tempfile, "TemporaryFile", lambda **options: Full())
    with pytest.raises(StorageError, match="decoded pixels: No space left on device. Free disk space"):
        read_source(files, **FORM, limit=0, disk=DiskPlace(tmp_path, 10**9))
