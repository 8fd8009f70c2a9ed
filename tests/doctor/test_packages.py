"""Packages that are missing, of another version, or cannot be imported are told with what to do."""

import re
import sys

import pytest
from packaging.specifiers import SpecifierSet

from medxray.doctor import packages
from medxray.doctor.extras import EXTRAS
from tests.test_scripts import FOLDER, requirements

SETUP = (FOLDER.parent / "setup.cfg").read_text(encoding="utf-8")
REQUIRED = SETUP.split("install_requires =")[1].split("[options.extras_require]")[0]


def test_every_package_that_medxray_needs_is_looked_at():
    assert set(packages.MODULES) == set(requirements(REQUIRED))


def test_every_extra_for_users_is_told_with_packages_that_it_brings():
    text = SETUP.split("[options.extras_require]")[1].split("[options.entry_points]")[0]
    lines = {name: body for name, body in re.findall(r"^([\w-]+) =((?:.*\n)(?: {4}.*\n)*)", text, re.M)}
    assert {extra.name for extra in EXTRAS} == set(lines) - {"lint", "test"}
    for extra in EXTRAS:
        brought = set(re.findall(r"^ {4}([\w-]+)", lines[extra.name], re.M))
        assert extra.name == "gpu" or set(extra.packages) <= brought, "TensorFlow's own extra brings those of gpu"


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Modules that can be imported, raise, and end Python."""
    texts = {
        "fine": "",
        "broken": "raise ImportError('libGL.so.1 is missing\\nmore')",
        "dies": "import os; os._exit(3)",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}_module.py").write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    versions = {"fine": "2.0", "broken": "1.0", "dies": "1.5", "old": "1.0"}
    monkeypatch.setattr(packages, "version_of", versions.get)
    monkeypatch.setattr(packages, "needed", lambda: {"fine": SpecifierSet(">=2"), "old": SpecifierSet(">=2,<3")})
    return lambda *names: {name: "fine_module" if name in ("old", "gone") else f"{name}_module" for name in names}


def test_a_package_that_is_as_it_should_be_has_no_problem(modules):
    (found,), gpus = packages.look(modules("fine"))
    assert found == packages.Package("fine", "2.0", ">=2", "") and gpus == []


def test_a_package_of_another_version_is_told_with_both(modules):
    (found,), _ = packages.look(modules("old"))
    assert re.fullmatch(r"old must be [<>=\d.,]+, 1\.0 is installed: pip install 'old[<>=\d.,]+'", found.problem)


def test_a_package_that_cannot_be_imported_is_told_with_its_first_line(modules):
    fine, broken = packages.look(modules("fine", "broken"))[0]
    assert fine.problem == ""
    assert broken.problem.startswith("broken 1.0 cannot be imported (ImportError: libGL.so.1 is missing): pip install")


def test_a_package_that_ends_python_is_named_and_those_behind_it_are_looked_at(modules):
    found = packages.look(modules("fine", "dies", "broken"))[0]
    assert found[0].problem == "" and "dies 1.5 cannot be imported (Python ends with exit status 3" in found[1].problem
    assert "libGL.so.1" in found[2].problem


def test_a_package_that_is_not_there_is_told_with_the_command_that_installs_it(modules, monkeypatch):
    (found,), _ = packages.look({"gone": "gone_module"})
    assert found.problem == "gone is not installed: pip install 'gone'"
