import pytest

from medxray.errors import StorageError
from medxray.export import placement


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


def test_a_failure_leaves_nothing_not_even_the_base_folder(tmp_path):
    with pytest.raises(RuntimeError), placement.staging(tmp_path / "m") as folder:
        (folder / "file").write_text("x")
        assert not folder.name.isdecimal() and folder.parent == tmp_path / "m"
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


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
