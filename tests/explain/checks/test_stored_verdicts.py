"""What the files of a run say of methods, and the sentence on one that fails."""

import pytest

from medxray.explain.checks.stored_verdicts import failing_words, stored_verdicts
from medxray.runs.directory import RunDir
from medxray.system import storage


@pytest.fixture
def directory(tmp_path):
    return RunDir(tmp_path)


def store(directory, split, **passed):
    methods = {name: {"randomisation": {"passed": value}} for name, value in passed.items()}
    storage.write_json(directory.own_evaluation(split).explanations.report_file, {"methods": methods})


def test_the_splits_are_read_together_and_the_test_split_counts_first(directory):
    store(directory, "val", gradcam=False, saliency=True, cam=False)
    store(directory, "test", gradcam=True, rise=False)
    assert stored_verdicts(directory) == {"gradcam": True, "saliency": True, "cam": False, "rise": False}


def test_nothing_is_said_where_the_method_passed_or_was_not_checked(directory):
    assert failing_words(directory, "gradcam") == "" and stored_verdicts(directory) == {}
    store(directory, "test", gradcam=True, rise=False)
    assert failing_words(directory, "gradcam") == failing_words(directory, "cam") == ""


def test_a_method_that_fails_is_named_with_those_that_passed(directory):
    store(directory, "test", gradcam=False, layercam=True, saliency=True, rise=False)
    words = failing_words(directory, "gradcam")
    assert "found that gradcam fails on this run" in words and words.endswith("These passed: layercam, saliency.")
    store(directory, "test", gradcam=False, rise=False)
    assert failing_words(directory, "gradcam").endswith("No method that was checked passed.")
