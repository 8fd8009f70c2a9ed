"""The verdict of a shortcut audit, and the figures behind it."""

from medxray.explain.audit.verdict import audit_lines, change_rows, figure_rows, heat_rows
from medxray.report.elements import details, element, joined, paragraphs, table
from medxray.report.section import Missing, Section

_TABLES = (
    (figure_rows, "How well the classes are told apart"),
    (change_rows, "Answers that change"),
    (heat_rows, "Where the heat lies"),
)


def shortcuts(contents):
    """Whether the answers hang on borders, markers or image size."""
    found = contents.audit
    if found is None:
        command = f"medxray explain audit {contents.path} --split {contents.split}"
        return Missing("Shortcut audit (borders, markers, image size)", "makes it", command)
    tables = [table(_without_gaps(rows(found)), caption=words) for rows, words in _TABLES]
    body = joined(
        element("p", element("strong", found["verdict"])),
        details("Figures of the audit", *tables, paragraphs(*(one for one in audit_lines(found)[:-2] if one))),
    )
    return Section("shortcuts", "Shortcuts", body)


def _without_gaps(rows):
    """Rows whose empty header cells say what they hold."""
    header, *others = rows
    return [[cell or "share [95 %]" for cell in header], *others]
