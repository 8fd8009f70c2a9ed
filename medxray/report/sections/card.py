"""The model card."""

from markdown_it import MarkdownIt

from medxray.evaluation.model_card import RESEARCH_ONLY
from medxray.report.elements import Markup, details
from medxray.report.section import Missing, Section

_SCROLLED = '<div class="wide" tabindex="0" role="region" aria-label="Table {} of the model card"><table>'


def card(contents):
    """The stored card; what the page says at its top is not said again."""
    if contents.card is None:
        return Missing("Model card", "writes it again", f"medxray export {contents.path}")
    text = contents.card.replace(RESEARCH_ONLY, "")
    return Section("card", "Model card", details("Model card", rendered(text)))


def rendered(text):
    """Markdown as Markup: no HTML of the text itself, no links and no pictures; its headings stand below the page's."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    shown = parser.renderer.render(tokens, parser.options, {})
    before, *tables = shown.split("<table>")
    scrolled = (f"{_SCROLLED.format(number)}{rest}" for number, rest in enumerate(tables, 1))
    return Markup("".join([before, *scrolled]).replace("</table>", "</table></div>"))
