"""The page that holds all sections: template, style, scripts and data in one file."""

from importlib import resources
from string import Template

from medxray.report.elements import Markup, bullets, element, joined
from medxray.report.section import Missing, Section
from medxray.system.script_json import script_json

_SCRIPTS = ("operating.js", "charts.js", "page.js")
_PLOTLY = "plotly/plotly-basic.min.js"


def page(name, facts, parts):
    """The page as text.

    Args:
        name: of the run.
        facts: one line about it.
        parts: list of Section and Missing; the missing ones come last, in one list.

    Returns:
        str, HTML. Nothing of the data becomes markup or script.
    """
    sections = [part for part in parts if isinstance(part, Section)]
    missing = [part for part in parts if isinstance(part, Missing)]
    links = [(part.key, part.title) for part in sections] + ([("missing", "Not in this report")] if missing else [])
    data = {"charts": {key: drawn for part in sections for key, drawn in part.charts.items()}}
    data |= {part.key: part.data for part in sections if part.data is not None}
    return Template(_file("page.html")).substitute(
        title=joined(f"{name}: medxray report"),
        name=joined(name),
        facts=joined(facts),
        contents=element("ul", *(element("li", element("a", title, href=f"#{key}")) for key, title in links)),
        sections=joined(*map(_section, sections), _missing(missing)),
        data=script_json(data),
        style=_file("style.css"),
        plotly=_file(_PLOTLY) if data["charts"] else "",
        script="\n".join(map(_file, _SCRIPTS)),
    )


def _section(part):
    heading = element("h2", part.title, id=f"{part.key}-title")
    return element("section", heading, part.body, id=part.key, aria_labelledby=f"{part.key}-title")


def _missing(parts):
    if not parts:
        return None
    body = bullets(_remedy(part) for part in parts)
    return _section(Section("missing", "Not in this report", body))


def _remedy(part):
    if part.command is None:
        return joined(f"{part.what}: {part.remedy}")
    return joined(f"{part.what}: ", element("code", part.command), f" {part.remedy}.")


def _file(name):
    """A file of the template."""
    return Markup(resources.files("medxray.report").joinpath("template", name).read_text(encoding="utf-8"))
