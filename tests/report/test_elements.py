"""Escaping, and Markdown of a card as HTML."""

import numpy as np

from medxray.report.elements import Markup, element, joined, prose, table
from medxray.report.section import rounded
from medxray.report.sections.card import rendered
from medxray.system.script_json import script_json


def test_texts_are_escaped_in_content_and_attributes_and_markup_is_not():
    made = element("p", 'a<b & "c"', Markup("<i>x</i>"), None, title='"><b>', hidden=True, lang=None)
    assert made == '<p title="&quot;&gt;&lt;b&gt;" hidden>a&lt;b &amp; &quot;c&quot;<i>x</i></p>'


def test_names_of_attributes_follow_html_and_control_characters_are_escapes():
    assert element("img", class_="a", aria_label="b", alt="") == '<img class="a" aria-label="b" alt="">'
    assert joined("a\x1b\n") == r"a\x1b\n"


def test_words_between_backticks_are_code_and_a_lone_backtick_is_text():
    assert prose("give `--x <A>` to it") == "give <code>--x &lt;A&gt;</code> to it"
    assert prose("a ` b <i>") == "a ` b &lt;i&gt;"


def test_a_table_names_its_rows_and_columns_for_those_who_cannot_see_it():
    made = table([["figure", "test"], ["AUROC", element("td", "1", id="x")]], caption="Figures")
    assert '<th scope="col">figure</th>' in made and '<th scope="row">AUROC</th><td id="x">1</td>' in made
    assert made.startswith('<div class="wide" tabindex="0" role="region" aria-label="Figures"><table><caption>')


def test_json_cannot_end_the_script_that_it_stands_in():
    text = script_json({"name": "</script><!-- &é"})
    assert text == '{"name":"\\u003c/script\\u003e\\u003c!-- \\u0026\\u00e9"}'


def test_a_model_card_is_shown_without_html_links_or_pictures_of_its_own():
    shown = rendered(
        "# A\n\n<b>x</b> [y](https://e.org) ![z](https://e.org/z.png)\n\n| a | b |\n|---|---|\n| 1 | **2** |\n"
    )
    assert "<h3>A</h3>" in shown and "&lt;b&gt;x&lt;/b&gt;" in shown and "href" not in shown and "src" not in shown
    assert "<td>1</td>" in shown and "<strong>2</strong>" in shown


def test_numbers_of_a_chart_have_six_digits_and_none_that_json_lacks():
    assert rounded([1 / 3, np.nan, np.inf, 2, "a", None]) == [0.333333, None, None, 2.0, "a", None]
