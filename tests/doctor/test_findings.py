"""What `medxray doctor` finds, prints, and ends with."""

import json
import re
from pathlib import Path

import pytest

from medxray.doctor import findings, packages
from medxray.doctor.packages import Package
from medxray.system import machine

GOOD = Package("keras", "3.12.0", "<3.16,>=3.8", "")
BAD = Package("scipy", None, ">=1.14", "scipy is not installed: pip install 'scipy>=1.14'")
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "commandline.md"


@pytest.fixture
def look(monkeypatch, tmp_path):
    """Function (packages, used=()): what is found instead of importing anything; no weights are read."""
    monkeypatch.setattr(findings, "availability", lambda: [])
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))

    def found(*needed, used=()):
        monkeypatch.setattr(packages, "look", lambda: (list(needed), list(used)))

    return found


def test_what_works_ends_with_status_0_and_says_so(medxray, look):
    look(GOOD)
    status, out, err = medxray("doctor")
    assert status == 0 and err == "" and out.splitlines()[-1] == "All that medxray needs is here."
    assert re.search(r"keras +3\.12\.0 +\(<3\.16,>=3\.8\)", out) and "Processor" in out and "Free disk space" in out
    assert re.search(r"tune +(installed|pip install 'medxray\[tune\]') +medxray tune", out)


def test_what_is_broken_ends_with_status_1_and_one_line(medxray, look):
    look(GOOD, BAD)
    status, out, err = medxray("doctor")
    assert status == 1 and "All that" not in out
    assert err == f"Error: medxray cannot work here: {BAD.problem}\n"


def test_json_has_the_keys_that_the_manual_describes(medxray, look):
    look(GOOD, BAD)
    status, out, err = medxray("doctor", "--json")
    found = json.loads(out)
    assert status == 1 and err.startswith("Error: ") and found["usable"] is False and found["problems"] == [BAD.problem]
    section = PAGE.read_text(encoding="utf-8").split("`medxray doctor --json` prints")[1]
    described = {name for row in re.findall(r"^\| (`[^|]*) \|", section, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert described == set(found)
    for key in ("packages", "extras", "cpu", "gpu", "memory", "disk", "caches"):
        row = re.search(rf"^\| `{key}` \| (.*)$", section, re.M)[1]
        value = found[key][0] if isinstance(found[key], list) else found[key]
        assert set(value) <= set(re.findall(r"`(\w+)`", row)), key


def test_a_gpu_that_is_seen_and_not_used_is_a_note_with_the_remedy(medxray, look, monkeypatch):
    look(GOOD)
    monkeypatch.setattr(machine, "gpus", lambda: ["Some GPU"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(findings.platform, "system", lambda: "Linux")
    status, out, _ = medxray("doctor")
    assert status == 0 and "Note: TensorFlow does not use the GPU (Some GPU)." in out and "medxray[gpu]" in out
    look(GOOD, used=["Some GPU"])
    assert "does not use" not in medxray("doctor")[1]


def test_little_disk_space_and_little_memory_are_notes(look, monkeypatch):
    look(GOOD)
    monkeypatch.setattr(findings.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 5_000_000}))
    monkeypatch.setattr(machine, "memory", lambda: {"total": 8_000_000_000, "available": 1_000_000_000})
    notes = findings.findings()["notes"]
    assert sum("Little disk space" in note for note in notes) == 3
    assert any("Little memory is free: 1.0 GB" in note for note in notes)


@pytest.mark.slow
def test_this_installation_is_found_to_be_usable(medxray, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = medxray("doctor", "--json")
    found = json.loads(out)
    assert (status, found["problems"]) == (0, []), err
    assert {package["name"] for package in found["packages"]} == set(packages.MODULES)
    assert all(package["version"] for package in found["packages"])
    assert 0 < found["cpu"]["usable_cores"] <= found["cpu"]["cores"]
    assert found["weights"] and found["disk"][0]["path"] == str(tmp_path)
