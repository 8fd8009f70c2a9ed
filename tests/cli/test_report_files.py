import pytest

from medxray.cli.report_files import report_failures


@pytest.mark.parametrize(("number", "lines", "last"), [(0, 0, ""), (10, 10, "9.png: bad"), (12, 11, "2 more files")])
def test_errors_are_cut_after_ten_with_a_count(capsys, number, lines, last):
    failures = {f"{index}.png": "bad" for index in range(number)}
    assert report_failures(failures, ignore=False) == (1 if number else 0)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == lines and last in "".join(told[-1:])


def test_errors_that_are_ignored_are_counted_only(capsys):
    assert report_failures({"a": "bad", "b": "bad"}, ignore=True) == 0
    assert capsys.readouterr().err == "Warning: 2 files cannot be read.\n"
