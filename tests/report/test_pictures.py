"""Photographs of the page by scripts/report_pictures.py: seen as they should be, and small.

They are written to the folder that the environment variable MEDXRAY_PICTURES names, to be looked at.
"""

import importlib.util
import os
import sys
from pathlib import Path

import cv2
import pytest

from medxray.report.contents import read_contents
from medxray.report.report import report_page

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        spec = importlib.util.spec_from_file_location("report_pictures", FOLDER / "report_pictures.py")
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # a dataclass looks itself up there
        spec.loader.exec_module(module)
    if module.CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    return module


@pytest.fixture(scope="module")
def pictures(script, stored_run, tmp_path_factory):
    """Name -> picture, uint8 (height, width, 3)."""
    out = Path(os.environ.get("MEDXRAY_PICTURES") or tmp_path_factory.mktemp("pictures"))
    written = list(script.take_pictures(report_page(read_contents(stored_run.path)), out))
    assert all(file.stat().st_size == count <= 150_000 for file, count in written)
    return {name: cv2.imread(str(file)) for name, (file, _) in zip(script.VIEWS, written, strict=True)}


def test_every_view_has_its_size_and_shows_something(script, pictures):
    for name, view in script.VIEWS.items():
        assert pictures[name].shape[:2] == (view.height, view.width)
        assert pictures[name].std() > 10, name


def test_the_dark_page_is_dark_and_paper_is_white(pictures):
    corner = {name: int(picture[-5:, :5].mean()) for name, picture in pictures.items()}
    assert corner["dark"] < 60 and corner["printed"] > 240 and corner["desktop"] > 240
