"""Facts of the machine, from files as Linux has them, and none where a system has no such files."""

import pytest

from medxray.system import machine

CPU = "processor : 0\nmodel name : First\nflags : fpu avx2 avx512f amx_tile\n\nprocessor : 1\nmodel name : Second\n"


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """Function (name, text): a file of the system; without it there is none, and no other program."""
    places = {"_CPU": "cpuinfo", "_MEMORY": "meminfo", "_GROUPS": "cgroup", "_OWN_GROUP": "own"}
    for name, place in places.items():
        monkeypatch.setattr(machine, name, tmp_path / place)
    monkeypatch.setattr(machine, "_answer", lambda *words: None)

    def write(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


def test_name_and_features_come_from_the_first_processor(linux):
    linux("cpuinfo", CPU)
    found = machine.cpu()
    assert found["name"] == "First"
    assert found["features"] == {"avx2": True, "avx512": True, "avx512_bf16": False, "amx": True}


@pytest.mark.parametrize(("kind", "has"), [("arm64", False), ("AMD64", None)])
def test_without_a_list_of_features_only_other_processors_are_known_to_have_none(linux, monkeypatch, kind, has):
    monkeypatch.setattr(machine.platform, "machine", lambda: kind)
    assert set(machine.cpu()["features"].values()) == {has}


def test_a_container_has_the_cores_and_the_memory_of_the_narrowest_group_around_it(linux, monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: set(range(4)), raising=False)
    linux("meminfo", "MemTotal: 8000 kB\nMemAvailable: 6000 kB\n")
    linux("own", "0::/outer/inner\n")
    linux("cgroup/outer/cpu.max", "150000 100000\n")
    linux("cgroup/outer/inner/cpu.max", "max 100000\n")
    linux("cgroup/outer/memory.max", "4096000\n")
    linux("cgroup/outer/memory.current", "1000000\n")
    linux("cgroup/outer/memory.stat", "anon 900000\nfile 100000\n")
    linux("cgroup/outer/inner/memory.max", "max\n")
    assert machine.usable_cores() == 1.5
    assert machine.memory() == {"total": 4096000, "available": 4096000 - 900000}


def test_groups_of_version_one_limit_too(linux, monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: set(range(4)), raising=False)
    linux("own", "4:cpu,cpuacct:/box\n7:memory:/box\n")
    linux("meminfo", "MemTotal: 8000 kB\nMemAvailable: 6000 kB\n")
    linux("cgroup/cpu/box/cpu.cfs_quota_us", "200000\n")
    linux("cgroup/cpu/box/cpu.cfs_period_us", "100000\n")
    linux("cgroup/memory/box/memory.limit_in_bytes", "2048000\n")
    assert machine.usable_cores() == 2
    assert machine.memory()["total"] == 2048000


def test_without_limits_all_cores_and_all_memory_are_there(linux, monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    linux("meminfo", "MemTotal: 8000 kB\nMemAvailable: 6000 kB\n")
    assert machine.usable_cores() == 3
    assert machine.memory() == {"total": 8000 << 10, "available": 6000 << 10}


def test_what_the_system_does_not_tell_is_none(linux):
    assert machine.memory() == {"total": None, "available": None}
    assert machine.gpus() == []
