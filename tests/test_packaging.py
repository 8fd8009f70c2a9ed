"""What a wheel and a source archive hold, without internet: setuptools alone, on a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of what is packed; setuptools leaves files beside it."""
    pytest.importorskip("setuptools", reason="setuptools is not installed here")
    folder = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    shutil.copytree(PROJECT / "medxray", folder / "medxray", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "data" / "sample", folder / "data" / "sample")
    return folder


def setup(folder, *words):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "setup.py", "-q", *words], cwd=folder, check=True, env=environment)


def template(names):
    parts = (re.search(r"medxray/report/template/(.*(?:\.\w+|LICENSE))$", name) for name in names)
    return {part[1] for part in parts if part}


def pictures(names):
    return {name.split("sample/")[1] for name in names if name.endswith(".jpeg")}


TEMPLATE = template(file.as_posix() for file in PROJECT.glob("medxray/report/template/**/*.*")) | {"plotly/LICENSE"}
EXPECTED = {file.relative_to(PROJECT / "data" / "sample").as_posix() for file in PROJECT.glob("data/sample/*/*.jpeg")}


def test_a_built_package_has_every_module_and_the_sample(copied, tmp_path, monkeypatch):
    setup(copied, "build_py", "--build-lib", str(tmp_path))
    built = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    assert {name for name in built if name.endswith(".py")} == {
        file.relative_to(copied).as_posix() for file in (copied / "medxray").rglob("*.py")
    }
    assert template(built) == TEMPLATE and "plotly/plotly-basic.min.js" in TEMPLATE
    assert len(EXPECTED) == 240 and pictures(built) == EXPECTED and "medxray/sample/README.md" in built
    words = [sys.executable, "-m", "medxray", "data", "sample", "copy"]
    subprocess.run(words, cwd=tmp_path, check=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert len(list((tmp_path / "copy").glob("*/*.jpeg"))) == 240 and (tmp_path / "copy" / "README.md").exists()


def test_a_source_archive_has_the_sample(copied, tmp_path):
    setup(copied, "sdist", "--dist-dir", str(tmp_path))
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    assert pictures(names) == EXPECTED and template(names) == TEMPLATE
    assert any(name.endswith("data/sample/README.md") for name in names) and any("setup.py" in name for name in names)
