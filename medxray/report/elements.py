"""Elements of HTML. Every text that is no Markup is escaped, so that nothing of the data becomes markup."""

import html

from medxray.system.control_characters import escaped

_VOID = {"img", "input", "br"}
_SHORT = 30  # letters of a cell that is not broken into lines


class Markup(str):
    """HTML that is ready: it is not escaped again."""


def markup(child):
    """A text escaped, or Markup as it is."""
    return child if isinstance(child, Markup) else Markup(html.escape(escaped(str(child))))


def joined(*children):
    """Markup of texts and Markup one after the other; None is left out."""
    return Markup("".join(markup(child) for child in children if child is not None))


def element(name, *children, **attributes):
    """An element as Markup.

    Args:
        name: of the element.
        *children: texts, Markup, or None.
        **attributes: values as text, True for one without a value, None or False for none; a trailing underscore of a
            name goes, other underscores become hyphens: `class_`, `aria_label`.
    """
    begin = "".join([name, *(_attribute(key, value) for key, value in attributes.items())])
    return Markup(f"<{begin}>") if name in _VOID else Markup(f"<{begin}>{joined(*children)}</{name}>")


def _attribute(key, value):
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{markup(value)}"'


def prose(text):
    """A text in which `words between backticks` are code, as Markup; Markup stays as it is."""
    if isinstance(text, Markup):
        return text
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without another one
        return markup(text)
    return joined(*(element("code", part) if at % 2 else part for at, part in enumerate(parts)))


def paragraphs(*texts):
    """A paragraph of prose for each text."""
    return joined(*(element("p", prose(text)) for text in texts))


def bullets(items):
    """A list of prose; nothing where there is none."""
    items = list(items)
    return element("ul", *(element("li", prose(item)) for item in items)) if items else None


def table(rows, *, caption, header=True):
    """A table that scrolls sideways where the page is narrow; the first cell of a row names it.

    Args:
        rows: list of lists of texts and Markup; the first is the header.
        caption: what it shows.
        header: whether the first row is a header.
    """
    head, body = (rows[0], rows[1:]) if header else (None, rows)
    columns = head and element("thead", element("tr", *(element("th", cell, scope="col") for cell in head)))
    lines = [
        element("tr", element("th", first, scope="row"), *(_cell(cell) for cell in others)) for first, *others in body
    ]
    whole = element("table", element("caption", caption), columns, element("tbody", *lines))
    return scrolling(whole, caption)


def _cell(cell):
    if isinstance(cell, Markup) and cell.startswith("<td"):
        return cell
    return element("td", cell, class_="short" if len(str(cell)) <= _SHORT else None)


def scrolling(content, label):
    """Content that scrolls sideways, reachable by keyboard."""
    return element("div", content, class_="wide", tabindex="0", role="region", aria_label=label)


def details(summary, *content):
    """Content that is shown on demand."""
    return element("details", element("summary", summary), *content)


def chart(key, summary):
    """The place of a chart that the script draws from the data of the same key.

    Args:
        key: of `section.Chart`.
        summary: what it shows, in words, for those who cannot see it.
    """
    return element("div", class_="chart", id=f"chart-{key}", role="img", aria_label=summary)
