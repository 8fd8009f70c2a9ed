"""Work that lasts is shown with the time left: one line on a terminal, now and then a message elsewhere."""

import io
import logging
from types import SimpleNamespace

import pytest

from medxray.system import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def seconds(monkeypatch):
    """Function (n): let n seconds go by."""
    now = [100.0]
    monkeypatch.setattr(progress, "_clock", lambda: now[0])

    def pass_by(count):
        now[0] += count

    return pass_by


@pytest.fixture
def screen(monkeypatch):
    """A terminal as standard error, where the command line tells messages."""
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=Terminal()))
    monkeypatch.setattr(logging.getLogger("medxray"), "level", logging.INFO)
    return progress.sys.stderr


def steps(seconds, total, each, label="Images"):
    with progress.track(total, label) as bar:
        for _ in range(total):
            seconds(each)
            bar.advance(1, "a note")


def test_work_of_less_than_three_seconds_shows_nothing(seconds, screen):
    steps(seconds, 10, 0.29)
    assert screen.getvalue() == ""


def test_a_terminal_shows_one_line_with_the_time_left_and_removes_it(seconds, screen):
    steps(seconds, 4, 2)
    lines = screen.getvalue().split("\r")
    assert lines[1] == "Images  [##########..........]  2/4  4 s left  a note"
    assert lines[2].startswith("Images  [###############.....]  3/4  2 s left")
    assert lines[-1] == "" and lines[-2].strip() == "" and len(lines[-2]) == len(lines[-3])
    assert "\n" not in screen.getvalue()


def test_a_line_is_no_wider_than_the_terminal(seconds, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    steps(seconds, 4, 2)
    assert max(map(len, screen.getvalue().split("\r"))) == 29


def test_elsewhere_a_message_comes_after_ten_seconds_and_then_every_half_minute(seconds, caplog):
    caplog.set_level(logging.INFO, "medxray")
    steps(seconds, 50, 1)
    assert caplog.messages == ["Images: 10 of 50, about 40 s left.", "Images: 40 of 50, about 10 s left."]


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_is_shown_where_the_log_is_quiet(seconds, screen, caplog, monkeypatch, terminal):
    caplog.set_level(logging.WARNING, "medxray")
    if not terminal:
        monkeypatch.setattr(progress.sys, "stderr", io.StringIO())
    steps(seconds, 50, 1)
    assert progress.sys.stderr.getvalue() == "" and caplog.messages == []


def test_the_time_left_does_not_count_the_first_step_in_which_things_are_compiled(seconds, screen):
    with progress.track(11, "Images") as bar:
        seconds(60)
        bar.advance(1)
        assert "10 min left" in screen.getvalue()
        seconds(2)
        bar.advance(1)
        assert "18 s left" in screen.getvalue().split("\r")[-1]


def test_work_inside_of_other_work_shows_nothing_of_its_own(seconds, screen):
    with progress.track(2, "Outer") as bar:
        steps(seconds, 10, 5, label="Inner")
        bar.advance(1)
    assert "Outer" in screen.getvalue() and "Inner" not in screen.getvalue()


def test_work_that_fails_removes_its_line_and_hinders_none_after_it(seconds, screen):
    with pytest.raises(ValueError), progress.track(2, "Outer") as bar:
        seconds(5)
        bar.advance(1)
        raise ValueError
    assert screen.getvalue().endswith("\r")
    steps(seconds, 4, 2, label="Next")
    assert "Next" in screen.getvalue()


def test_a_message_takes_the_place_of_the_line_which_is_drawn_again(seconds, screen):
    with progress.track(10, "Images") as bar:
        seconds(5)
        bar.advance(1)
        progress.wipe()
        assert screen.getvalue().split("\r")[-2].strip() == ""
        seconds(5)
        bar.advance(1)
        assert "2/10" in screen.getvalue()


def test_work_whose_length_is_not_known_counts(seconds, screen):
    with progress.track(0, "Bytes") as bar:
        seconds(5)
        bar.advance(7)
    assert "\rBytes  7" in screen.getvalue()


def test_batches_count_by_their_rows(seconds, screen):
    for batch in progress.counted([[1, 2], [3]], 3, "Rows"):
        seconds(4 * len(batch))
    assert "2/3" in screen.getvalue()
    assert list(progress.each("ab", 2, "Letters")) == ["a", "b"]


@pytest.mark.parametrize(("count", "words"), [(0.4, "0 s"), (59, "59 s"), (95, "2 min"), (3900, "1 h 5 min")])
def test_lengths_of_time_in_words(count, words):
    assert progress.time_text(count) == words


def test_work_that_is_done_is_not_told_to_be_going_on(seconds, caplog):
    caplog.set_level(logging.INFO, "medxray")
    steps(seconds, 11, 1)
    assert caplog.messages == ["Images: 10 of 11, about 1 s left."]
    caplog.clear()
    steps(seconds, 2, 8)
    assert caplog.messages == []
