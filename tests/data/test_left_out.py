"""Files that are left out are named and counted."""

import logging

import pytest

from medxray.data.left_out import SHOWN, report_left_out, show_names
from medxray.data.manifest import Skipped


@pytest.fixture
def lines(caplog):
    def report(count):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="medxray"):
            report_left_out([Skipped(f"{n}.png", "damaged") for n in range(count)], files=50)
        return [record.getMessage() for record in caplog.records]

    yield report
    show_names(True)


def test_each_file_is_named_with_its_reason_and_all_are_counted(lines):
    assert lines(2) == ["Left out: 0.png: damaged", "Left out: 1.png: damaged", "2 of 50 files are left out."]


def test_long_lists_are_cut_and_the_rest_is_counted(lines):
    found = lines(SHOWN + 7)
    assert len(found) == SHOWN + 2 and found[-2:] == ["Left out: 7 more.", f"{SHOWN + 7} of 50 files are left out."]


def test_nothing_left_out_is_no_line(lines):
    assert lines(0) == []


def test_names_can_be_left_away_but_not_the_number(lines):
    show_names(False)
    assert lines(3) == ["3 of 50 files are left out."]
