import json

import pytest

from medxray.explain.checks.usual_method import usual_method
from medxray.runs.directory import RunDir


@pytest.fixture
def checked(tmp_path):
    """Function (split, **method=passed) -> RunDir whose last check of that split found this."""

    def write(split="test", **passed):
        directory = RunDir(tmp_path / "run")
        file = directory.own_evaluation(split).explanations.report_file
        file.parent.mkdir(parents=True)
        found = {name: {"randomisation": {"passed": value}} for name, value in passed.items()}
        file.write_text(json.dumps({"methods": found}))
        return directory

    return write


@pytest.mark.parametrize("passed", [{}, {"gradcam": True, "cam": True}, {"occlusion": False, "layercam": True}])
def test_it_is_gradcam_where_nothing_speaks_against_it(checked, caplog, passed):
    assert usual_method(checked(**passed)) == "gradcam" and not caplog.records


def test_it_is_the_first_that_passes_where_gradcam_fails_and_the_log_says_so(checked, caplog):
    directory = checked("val", occlusion=True, layercam=True, cam=False, gradcam=False)
    assert usual_method(directory) == "layercam"
    assert "gradcam fails the randomisation check" in caplog.text and "--method gradcam" in caplog.text


def test_where_a_layer_is_named_only_methods_with_a_layer_are_looked_at(checked):
    directory = checked(gradcam=False, cam=True, occlusion=True, layercam=True)
    assert usual_method(directory, with_layer=True) == "layercam"


def test_where_none_passes_it_is_gradcam_and_those_who_draw_it_say_so(checked, caplog):
    assert usual_method(checked(gradcam=False, cam=False)) == "gradcam" and not caplog.records


def test_the_test_split_counts_before_others(checked):
    checked("val", gradcam=False, cam=True)
    assert usual_method(checked("test", gradcam=True)) == "gradcam"


@pytest.mark.parametrize("content", ["", "[]", '{"methods": 3}', '{"methods": {"gradcam": {}}}'])
def test_a_check_that_cannot_be_read_decides_nothing_and_is_told_of(tmp_path, content, caplog):
    directory = RunDir(tmp_path)
    file = directory.own_evaluation("test").explanations.report_file
    file.parent.mkdir(parents=True)
    file.write_text(content)
    assert usual_method(directory) == "gradcam" and str(file) in caplog.text
