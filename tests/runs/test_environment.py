"""What a record says a run was made with."""

import shutil
import subprocess
from pathlib import Path

import pytest

from medxray.runs.environment import PACKAGES, environment

ROOT = Path(__file__).resolve().parents[2]


def test_the_packages_that_figures_depend_on_are_on_record_with_their_versions():
    packages = environment()["packages"]
    assert tuple(packages) == PACKAGES and packages["numpy"].count(".") == 2


def test_the_commit_of_a_working_copy_is_on_record():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no working copy")
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert environment()["git_commit"] == head.stdout.strip()
