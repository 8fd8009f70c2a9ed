import os
import subprocess
import sys
from pathlib import Path

import pytest

from medxray.system import locks
from medxray.system.locks import Busy, SharedLock, alone, lock_file

ROOT = Path(locks.__file__).parents[2]
_HOLD = """
import sys, time
from pathlib import Path
from medxray.system.locks import SharedLock, alone
folder, way = Path(sys.argv[1]), sys.argv[2]
if way == "alone":
    held = alone(folder)
    held.__enter__()
else:
    held = SharedLock(folder)
    getattr(held, way)()
print("held", flush=True)
time.sleep(60)
"""
_COUNT = """
import sys
from pathlib import Path
from medxray.system.locks import SharedLock
folder = Path(sys.argv[1])
lock = SharedLock(folder)
for _ in range(50):
    lock.own()
    number = int(folder.joinpath("number").read_text())
    folder.joinpath("number").write_text(str(number + 1))
    lock.share()
    assert int(folder.joinpath("number").read_text()) > number
    lock.release()
"""


def python(code, *words):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def holding(tmp_path):
    """Function (way) -> another process that holds the lock of `tmp_path / "a"` that way."""
    started = []

    def start(way):
        started.append(python(_HOLD, tmp_path / "a", way))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process):
    process.kill()
    process.wait()


def test_the_file_of_a_lock_lies_beside_the_folder_and_the_folder_can_be_removed(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    folder.mkdir()
    lock = SharedLock(folder)
    lock.own()
    with alone(tmp_path / "b" / "c"):
        assert lock_file(tmp_path / "b" / "c") == tmp_path / "b" / ".c.lock"
    assert list(folder.iterdir()) == [] and lock_file(folder).exists()
    folder.rmdir()
    monkeypatch.chdir(tmp_path)
    assert lock_file(Path("b/..")) == tmp_path.parent / f".{tmp_path.name}.lock"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_two_names_of_one_folder_have_one_lock(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert lock_file(tmp_path / "b") == lock_file(tmp_path / "a")


def test_a_lock_held_alone_is_busy_until_its_process_is_killed(holding, tmp_path):
    process = holding("alone")
    with pytest.raises(Busy), alone(tmp_path / "a"):
        pass
    kill(process)
    with alone(tmp_path / "a"), pytest.raises(Busy), alone(tmp_path / "a"):
        pass
    with alone(tmp_path / "a"):
        pass


def test_many_share_a_lock_and_nobody_owns_it_meanwhile(holding, tmp_path):
    first, second, lock = holding("share"), holding("share"), SharedLock(tmp_path / "a")
    lock.share(wait=False)
    with pytest.raises(Busy):
        lock.own(wait=False)
    kill(first)
    with pytest.raises(Busy):
        lock.own(wait=False)
    kill(second)
    lock.own(wait=False)


def test_one_owns_a_lock_and_nobody_shares_it_until_its_process_is_killed(holding, tmp_path):
    process, lock = holding("own"), SharedLock(tmp_path / "a")
    for hold in (lock.share, lock.own):
        with pytest.raises(Busy):
            hold(wait=False)
    kill(process)
    lock.share(wait=False)


def test_two_locks_of_one_process_exclude_each_other(tmp_path):
    first, second = SharedLock(tmp_path / "a"), SharedLock(tmp_path / "a")
    first.own()
    with pytest.raises(Busy):
        second.share(wait=False)
    first.share()
    second.share(wait=False)
    first.release()
    first.release()
    second.own(wait=False)


def test_processes_that_own_and_share_in_turn_lose_no_change(tmp_path):
    (tmp_path / "number").write_text("0")
    processes = [python(_COUNT, tmp_path) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert (tmp_path / "number").read_text() == "200"
    assert lock_file(tmp_path).read_bytes() == b""


def test_a_file_that_is_no_lock_is_an_os_error_and_is_kept(tmp_path):
    lock_file(tmp_path / "a").write_bytes(b"something else" * 100)
    with pytest.raises(OSError, match="cannot be used"):
        SharedLock(tmp_path / "a").own()
    assert lock_file(tmp_path / "a").read_bytes().startswith(b"something else")
