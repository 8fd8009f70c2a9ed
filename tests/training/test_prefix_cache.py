import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from medxray.errors import ConfigError, StorageError
from medxray.system import storage
from medxray.training import prefix_cache
from medxray.training.cache_folder import clear, list_entries, parse_size
from medxray.training.prefix_cache import Entry, EntryKey, EntryLock

KEY = EntryKey("text", (2, 3), "vgg16 block4_pool view 0")


def names(*numbers):
    """Digests of some images."""
    return [f"{number:064x}" for number in numbers]


def rows(*numbers):
    """Activations of the same images."""
    return np.asarray(numbers, np.float32)[:, None, None] * 8 + np.arange(6, dtype=np.float32).reshape(2, 3)


def filled(folder, *chunks):
    entry = Entry(folder, KEY)
    for numbers in chunks:
        entry.append(names(*numbers), rows(*numbers))
    return entry


def damage(folder, row):
    with open(folder / KEY.name / "rows.f16", "r+b") as file:
        file.seek(row * KEY.row_bytes)
        file.write(b"\xff")


def test_rows_come_back_as_float16_in_the_order_that_is_asked_for(tmp_path):
    filled(tmp_path, (5, 3), (9,))
    entry = Entry(tmp_path, KEY)
    assert entry.missing(names(9, 4, 3, 4, 1)) == names(4, 1)
    found = entry.read(names(9, 5, 9))
    assert found.dtype == np.float16 and found.shape == (3, 2, 3) and len(found) == 3
    assert np.array_equal(found[:], rows(9, 5, 9))
    assert np.array_equal(found[[1, 0]], rows(5, 9)) and np.array_equal(found[1], rows(5)[0])
    assert np.array_equal(found[1:], rows(5, 9)) and np.array_equal(found[range(2)], rows(9, 5))


def test_an_interrupted_entry_goes_on_behind_its_last_listed_chunk(tmp_path):
    filled(tmp_path, (1, 2))
    for name in ("rows.f16", "digests.bin"):
        with open(tmp_path / KEY.name / name, "ab") as file:
            file.write(b"written, but never listed: it may be longer than what comes instead" * 3)
    entry = Entry(tmp_path, KEY)
    entry.verify(names(1, 2))
    assert entry.missing(names(1, 2, 3)) == names(3)
    entry.append(names(3), rows(3))
    assert np.array_equal(Entry(tmp_path, KEY).read(names(3, 1, 2))[:], rows(3, 1, 2))


def test_only_the_rows_of_a_damaged_chunk_are_computed_again_and_others_stay_where_they_are(tmp_path, caplog):
    before = filled(tmp_path, (1, 2), (3, 4), (5, 6)).read(names(1, 6))
    damage(tmp_path, 2)
    entry = Entry(tmp_path, KEY)
    entry.verify(names(1, 2, 5))
    assert entry.missing(names(1, 2, 3, 5)) == [] and not caplog.text  # nobody asked for the chunk that is damaged
    entry.verify(names(1, 3))
    assert entry.missing(names(1, 2, 3, 4, 5, 6)) == names(3, 4) and caplog.text.count("is damaged") == 1
    entry.append(names(4, 3), rows(4, 3))
    again = Entry(tmp_path, KEY)
    again.verify(names(1, 2, 3, 4, 5, 6))
    assert np.array_equal(again.read(names(1, 2, 3, 4, 5, 6))[:], rows(1, 2, 3, 4, 5, 6))
    assert np.array_equal(before[:], rows(1, 6)) and caplog.text.count("is damaged") == 1


def test_damaged_digests_do_not_give_rows_to_other_images(tmp_path):
    filled(tmp_path, (1, 2), (3,))
    with open(tmp_path / KEY.name / "digests.bin", "r+b") as file:
        file.write(b"\x07")
    entry = Entry(tmp_path, KEY)
    assert entry.missing(names(1, 2, 3)) == names(1, 2)
    assert np.array_equal(entry.read(names(3))[:], rows(3))


def test_missing_rows_or_a_foreign_record_are_not_trusted(tmp_path):
    filled(tmp_path, (1, 2), (3, 4))
    os.truncate(tmp_path / KEY.name / "rows.f16", 3 * KEY.row_bytes)
    short = Entry(tmp_path, KEY)
    assert short.missing(names(1, 2, 3, 4)) == names(3, 4)
    short.append(names(3), rows(3))
    assert np.array_equal(Entry(tmp_path, KEY).read(names(2, 3))[:], rows(2, 3))
    good = json.loads((tmp_path / KEY.name / "entry.json").read_text())
    others = ({"chunks": [[99, 1, 1]]}, {"chunks": [[-1, 1, 1]]}, {"chunks": [["2", 1, 1]]}, {"chunks": 3})
    for change in (*others, {"shape": [3, 2]}, {"format": 2}, {"chunks": [[2, 1]]}):
        (tmp_path / KEY.name / "entry.json").write_text(json.dumps(good | change))
        assert Entry(tmp_path, KEY).missing(names(1)) == names(1), change
    for text in ("", "[]", "null"):
        (tmp_path / KEY.name / "entry.json").write_text(text)
        assert Entry(tmp_path, KEY).missing(names(1)) == names(1)


def test_full_disk_is_an_error_and_keeps_what_was_listed(tmp_path, monkeypatch):
    entry = filled(tmp_path, (1, 2))

    def full(descriptor):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(prefix_cache.os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device. Free disk space"):
        entry.append(names(3), rows(3))
    monkeypatch.undo()
    entry = Entry(tmp_path, KEY)
    entry.verify(names(1, 2))
    assert entry.missing(names(1, 2, 3)) == names(3)


def test_values_beyond_float16_are_refused(tmp_path):
    with pytest.raises(StorageError, match="not finite in float16"), np.errstate(over="ignore"):
        Entry(tmp_path, KEY).append(names(1), rows(1) * 1e5)


def test_any_influence_changes_the_key():
    others = [EntryKey("other", (2, 3), ""), EntryKey("text", (3, 2), "")]
    assert len({KEY.name, *(other.name for other in others)}) == 3
    assert EntryKey("text", (2, 3), "another label").name == KEY.name


_APPEND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from test_prefix_cache import KEY, names, rows
from medxray.training.prefix_cache import Entry, EntryLock
folder, numbers = Path(sys.argv[1]), range(*map(int, sys.argv[2:4]))
entry = Entry(folder, KEY)
lock = EntryLock(entry.folder)
lock.share()
for number in numbers:
    with lock.appending():
        entry.read_again()
        for missing in entry.missing(names(number)):
            entry.append([missing], rows(number))
print("done", flush=True)
sys.stdin.readline()
"""


def appender(folder, first, last):
    words = [sys.executable, "-c", _APPEND, str(folder), str(first), str(last), os.path.dirname(__file__)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_append_to_one_entry_and_a_third_reads_meanwhile(tmp_path):
    reader = filled(tmp_path, (0,)).read(names(0))
    with appender(tmp_path, 1, 30) as one, appender(tmp_path, 15, 45) as other:
        assert one.stdout.readline() == other.stdout.readline() == "done\n"
        assert np.array_equal(reader[:], rows(0)) and clear(tmp_path) == (0, 0)  # both still use it
        one.communicate("\n")
        other.communicate("\n")
    entry, wanted = Entry(tmp_path, KEY), range(45)
    entry.verify(names(*wanted))
    assert np.array_equal(entry.read(names(*wanted))[:], rows(*wanted))
    (listed,) = list_entries(tmp_path)
    assert listed["rows"] == 45  # what both wanted was written once


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_process_killed_while_it_appends_leaves_an_entry_that_others_go_on_with(tmp_path):
    with appender(tmp_path, 0, 100_000) as killed:
        while len(Entry(tmp_path, KEY).missing(names(*range(5)))):
            time.sleep(0.002)
        killed.kill()
    entry = Entry(tmp_path, KEY)
    missing = entry.missing(names(*range(100)))
    with EntryLock(entry.folder).appending():  # its lock went with it
        entry.append(missing, rows(*(int(name, 16) for name in missing)))
    again = Entry(tmp_path, KEY)
    again.verify(names(*range(100)))
    assert np.array_equal(again.read(names(*range(100)))[:], rows(*range(100)))
    assert clear(tmp_path)[0] == 1


def test_appending_nothing_changes_nothing(tmp_path):
    entry = filled(tmp_path, (1,))
    entry.append([], rows())
    assert Entry(tmp_path, KEY).missing(names(1)) == [] and list_entries(tmp_path)[0]["rows"] == 1


def test_list_and_clear_leave_other_files_alone(tmp_path):
    filled(tmp_path, (1, 2), (3,))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_text("x")
    (listed,) = list_entries(tmp_path)
    assert (listed["label"], listed["rows"], listed["old"]) == (KEY.label, 3, False)
    count, freed = clear(tmp_path)
    assert count == 1 and freed > 3 * KEY.row_bytes
    assert (tmp_path / "photos" / "a.png").exists() and list_entries(tmp_path) == []
    assert clear(tmp_path / "nowhere") == (0, 0)


def test_entries_of_earlier_versions_are_listed_as_old_and_cleared(tmp_path):
    record = {"label": "vgg16 pooled test", "shape": [2], "rows": 9, "chunks": [[4, 17]], "updated": 1.0}
    storage.write_json(tmp_path / "abc" / "entry.json", record)
    (listed,) = list_entries(tmp_path)
    assert listed["old"] and listed["rows"] == 4
    assert clear(tmp_path, unused_days=5)[0] == 1


def test_clear_leaves_what_was_used_lately(tmp_path):
    entry = filled(tmp_path, (1,))
    os.utime(entry.folder / "entry.json", (time.time() - 3 * 86400,) * 2)
    assert clear(tmp_path, unused_days=4) == (0, 0)
    entry.mark_used()
    assert clear(tmp_path, unused_days=2) == (0, 0)
    os.utime(entry.folder / "entry.json", (time.time() - 3 * 86400,) * 2)
    assert clear(tmp_path, unused_days=2)[0] == 1


def test_an_entry_in_use_is_not_cleared_and_one_at_a_time_appends(tmp_path):
    entry = filled(tmp_path, (1,))
    one, other, cleaner = (EntryLock(entry.folder) for _ in range(3))
    one.share()
    other.share()
    assert not cleaner.try_to_own() and clear(tmp_path) == (0, 0)
    with one.appending():
        waiting = prefix_cache.locks.SharedLock(entry.folder.with_name(f"{entry.folder.name}-append"))
        with pytest.raises(prefix_cache.locks.Busy):
            waiting.own(wait=False)
    with other.appending():
        pass
    for lock in (one, other):
        lock.release()
    assert clear(tmp_path)[0] == 1 and not entry.folder.exists()


def test_sizes_are_read_with_their_units():
    assert parse_size("20GB") == 20 * 10**9
    assert parse_size("1.5 GiB") == 3 * 2**29
    assert parse_size("0MB") == 0
    for text in ("20", "GB", "-1GB", "nanGB", "infGB", "20XB", ""):
        with pytest.raises(ConfigError, match="must be a size such as 20GB or 500MB"):
            parse_size(text)
