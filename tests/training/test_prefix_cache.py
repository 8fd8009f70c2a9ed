import errno
import json
import os

import numpy as np
import pytest

from medxray.errors import ConfigError, StorageError
from medxray.training import prefix_cache
from medxray.training.prefix_cache import Entry, EntryKey, EntryLock, clear, list_entries, parse_size

KEY = EntryKey("text", (2, 3), 10, "vgg16 block4_pool train view 0")


def rows(count, start=0):
    return np.arange(start, start + 6 * count, dtype=np.float32).reshape(count, 2, 3)


def test_rows_come_back_as_float16(tmp_path):
    entry = Entry(tmp_path, KEY)
    entry.append(rows(4))
    entry.append(rows(6, 24))
    assert entry.complete
    read = Entry(tmp_path, KEY).read()
    assert read.dtype == np.float16 and np.array_equal(read, rows(10))
    with pytest.raises(ValueError):
        read[0] = 0


def test_an_interrupted_entry_goes_on_behind_its_last_listed_chunk(tmp_path):
    Entry(tmp_path, KEY).append(rows(4))
    with open(tmp_path / KEY.name / "rows.f16", "ab") as file:
        file.write(b"half a row")  # written, but never listed
    entry = Entry(tmp_path, KEY)
    entry.verify()
    assert entry.done == 4 and not entry.complete
    entry.append(rows(6, 24))
    assert entry.complete and np.array_equal(entry.read(), rows(10))


def test_damaged_chunks_are_forgotten_from_the_first_bad_one(tmp_path, caplog):
    entry = Entry(tmp_path, KEY)
    for start in (0, 4, 8):
        entry.append(rows(min(4, 10 - start), start * 6))
    with open(tmp_path / KEY.name / "rows.f16", "r+b") as file:
        file.seek(5 * KEY.row_bytes)
        file.write(b"\xff")
    entry = Entry(tmp_path, KEY)
    entry.verify()
    assert entry.done == 4 and "damaged" in caplog.text


def test_missing_rows_or_a_foreign_record_are_not_trusted(tmp_path):
    entry = Entry(tmp_path, KEY)
    entry.append(rows(10))
    os.truncate(tmp_path / KEY.name / "rows.f16", 7 * KEY.row_bytes)
    assert not Entry(tmp_path, KEY).complete
    fresh = Entry(tmp_path, KEY)
    fresh.verify()
    assert fresh.done == 0
    for text in ("", "[]", '{"chunks": 3}', json.dumps({"chunks": [[99, 1]], "shape": [2, 3], "rows": 10})):
        (tmp_path / KEY.name / "entry.json").write_text(text)
        assert Entry(tmp_path, KEY).done == 0


def test_full_disk_is_an_error_and_keeps_what_was_listed(tmp_path, monkeypatch):
    entry = Entry(tmp_path, KEY)
    entry.append(rows(4))

    def full(descriptor):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(prefix_cache.os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device. Free disk space"):
        entry.append(rows(6))
    monkeypatch.undo()
    entry = Entry(tmp_path, KEY)
    entry.verify()
    assert entry.done == 4


def test_values_beyond_float16_are_refused(tmp_path):
    with pytest.raises(StorageError, match="not finite in float16"), np.errstate(over="ignore"):
        Entry(tmp_path, KEY).append(rows(10) * 1e5)


def test_any_influence_changes_the_key():
    others = [EntryKey("other", (2, 3), 10, ""), EntryKey("text", (3, 2), 10, ""), EntryKey("text", (2, 3), 9, "")]
    assert len({KEY.name, *(other.name for other in others)}) == 4
    assert EntryKey("text", (2, 3), 10, "another label").name == KEY.name


def test_list_and_clear_leave_other_files_alone(tmp_path):
    Entry(tmp_path, KEY).append(rows(4))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_text("x")
    (listed,) = list_entries(tmp_path)
    assert (listed["label"], listed["done"], listed["rows"]) == (KEY.label, 4, 10)
    count, freed = clear(tmp_path)
    assert count == 1 and freed > 4 * KEY.row_bytes
    assert (tmp_path / "photos" / "a.png").exists() and list_entries(tmp_path) == []
    assert clear(tmp_path / "nowhere") == (0, 0)


def test_an_entry_in_use_is_neither_cleared_nor_written(tmp_path):
    entry = Entry(tmp_path, KEY)
    entry.append(rows(4))
    writer, reader, other = (EntryLock(entry.folder) for _ in range(3))
    writer.own()
    assert not other.try_to_own() and clear(tmp_path) == (0, 0)
    writer.share()
    reader.share()
    assert not other.try_to_own() and clear(tmp_path) == (0, 0)
    for lock in (writer, reader, other):
        lock.release()
    assert clear(tmp_path)[0] == 1 and not entry.folder.exists()


def test_sizes_are_read_with_their_units():
    assert parse_size("20GB") == 20 * 10**9
    assert parse_size("1.5 GiB") == 3 * 2**29
    assert parse_size("0MB") == 0
    for text in ("20", "GB", "-1GB", "nanGB", "infGB", "20XB", ""):
        with pytest.raises(ConfigError, match="must be a size such as 20GB or 500MB"):
            parse_size(text)
