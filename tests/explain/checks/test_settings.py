"""Which methods are checked, at what cost."""

import re
from pathlib import Path

import pytest

from medxray.errors import ConfigError
from medxray.explain.checks import settings
from medxray.explain.methods import METHODS

SIZE = (224, 224)


def cost(name):
    row = settings.setting_of(name)
    return row.passes(METHODS[name].chosen_options(row.options(SIZE)), SIZE)


def test_every_method_with_options_has_a_row_and_a_reason_for_options_that_are_lowered():
    for name, method in METHODS.items():
        row = settings.setting_of(name)
        assert bool(row.reason) == bool(row.options(SIZE)), name
        assert name in settings._SETTINGS, name
        method.chosen_options(row.options(SIZE))


def test_the_manual_lists_the_methods_whose_options_are_lowered():
    page = (Path(__file__).resolve().parents[3] / "docs" / "explain.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \|", page.split("| method | option | why |")[1], re.M)
    assert rows == [name for name in METHODS if settings.setting_of(name).reason]


def test_costs_in_passes():
    """Occlusion at 224: 13 x 13 and 12 x 12 patches, 7 x 7 of them first, and a quarter of the other 120 and 95."""
    found = {name: cost(name) for name in ("gradcam", "saliency", "scorecam", "occlusion", "smoothgrad", "rise")}
    expected = {"gradcam": 1, "saliency": 3, "scorecam": 65, "occlusion": 153, "smoothgrad": 25, "rise": 251}
    assert found == expected


def test_the_default_is_what_takes_one_pass_forth_and_back():
    assert settings.chosen_methods(None) == ("gradcam", "gradcam++", "layercam", "cam", "saliency")
    assert settings.chosen_methods("all") == tuple(METHODS)
    assert settings.chosen_methods("rise, gradcam,rise") == ("rise", "gradcam")


def test_an_unknown_method_is_refused_with_those_that_are_known():
    with pytest.raises(ConfigError, match="--method must be one of gradcam, .* Received 'lime'"):
        settings.chosen_methods("gradcam,lime")
