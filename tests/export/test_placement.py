import subprocess
import sys

import pytest

from medxray.errors import StorageError
from medxray.export import placement

_EXPORT = """
import importlib.util, pathlib, sys, time
spec = importlib.util.spec_from_file_location("placement", sys.argv[1])
placement = importlib.util.module_from_spec(spec)
spec.loader.exec_module(placement)
with placement.staging(pathlib.Path(sys.argv[2])) as folder:
    (folder / "variables").mkdir()
    (folder / "variables" / "file").write_text("half")
    print(folder.name, flush=True)
    time.sleep(60)
"""


def publish(base, content="x"):
    with placement.staging(base) as folder:
        (folder / "variables").mkdir()
        (folder / "variables" / "file").write_text(content)
        return placement.publish(folder, base)


def test_versions_count_up_from_1_and_leave_no_staging_folder(tmp_path):
    base = tmp_path / "a" / "model"
    assert [publish(base).name for _ in range(3)] == ["1", "2", "3"]
    assert sorted(entry.name for entry in base.iterdir()) == ["1", "2", "3"]
    assert (base / "2" / "variables" / "file").read_text() == "x"


def test_next_number_is_above_the_highest_and_other_names_are_ignored(tmp_path):
    for name in ("2", "10", "latest", "-5", "1.5", "²"):
        (tmp_path / name).mkdir()
    assert publish(tmp_path).name == "11"


def test_a_number_taken_in_the_meantime_is_not_overwritten(tmp_path, monkeypatch):
    publish(tmp_path, "first")
    monkeypatch.setattr(type(tmp_path), "iterdir", lambda self: iter(()))  # sees the folder as it was before
    assert publish(tmp_path, "second").name == "2"
    assert (tmp_path / "1" / "variables" / "file").read_text() == "first"


def test_a_failure_leaves_no_version_and_no_base_folder(tmp_path):
    with pytest.raises(RuntimeError), placement.staging(tmp_path / "m") as folder:
        (folder / "file").write_text("x")
        assert not folder.name.isdecimal() and folder.parent == tmp_path / "m"
        raise RuntimeError
    assert [entry.name for entry in tmp_path.iterdir()] == [".m.lock"]


def test_a_failure_leaves_earlier_versions_alone(tmp_path):
    publish(tmp_path)
    with pytest.raises(RuntimeError), placement.staging(tmp_path):
        raise RuntimeError
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


def test_published_folders_can_be_read_by_a_server_of_another_user(tmp_path):
    assert publish(tmp_path).stat().st_mode & 0o777 == 0o755


def test_system_errors_become_storage_errors(tmp_path):
    with pytest.raises(StorageError, match="No space left on device"), placement.staging(tmp_path / "m"):
        raise OSError(28, "No space left on device")


@pytest.fixture
def exporting(tmp_path):
    """Another process in the middle of an export to `tmp_path / "m"`, and the name of its staging folder."""
    words = [sys.executable, "-c", _EXPORT, placement.__file__, str(tmp_path / "m")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_what_a_killed_export_left_is_removed_by_the_next_one(exporting, tmp_path):
    process, name = exporting
    assert publish(tmp_path / "m").name == "1"
    assert {entry.name for entry in (tmp_path / "m").iterdir()} == {"1", name}  # its process lives: left alone
    process.kill()
    process.wait()
    assert (tmp_path / "m" / name / "variables" / "file").exists()
    assert publish(tmp_path / "m").name == "2"
    assert {entry.name for entry in (tmp_path / "m").iterdir()} == {"1", "2"}


def test_only_staging_folders_are_removed(tmp_path):
    kept = ["3", "notes", "partial-x", ".hidden", ".partial-file"]
    for name in kept[:-1]:
        (tmp_path / name).mkdir()
    (tmp_path / ".partial-file").write_text("")
    (tmp_path / ".partial-old").mkdir()
    (tmp_path / ".partial-link").symlink_to(tmp_path / "notes")
    (tmp_path / "notes" / "text").write_text("x")
    assert publish(tmp_path).name == "4"
    assert {entry.name for entry in tmp_path.iterdir()} == {*kept, "4", ".partial-link"}
    assert (tmp_path / "notes" / "text").exists()


@pytest.mark.parametrize("method", ["__init__", "own"])
def test_a_file_system_without_locks_removes_nothing(method, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(placement.locks.SharedLock, method, refuse)
    (tmp_path / ".partial-other").mkdir()
    assert publish(tmp_path).name == "1" and (tmp_path / ".partial-other").exists()
