import pytest

from medxray.system.control_characters import escaped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("a\u2028b", "a\\u2028b"),
        ("x\u202egnp.exe", "x\\u202egnp.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("肺炎 ü \u200d", "肺炎 ü \u200d"),
    ],
)
def test_what_moves_the_cursor_or_turns_the_writing_is_an_escape(text, shown):
    assert escaped(text) == shown
