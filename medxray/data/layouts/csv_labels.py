"""What the label cells of a CSV mean: blank, uncertain, several findings in one. No TensorFlow."""

import re
from dataclasses import replace

from medxray.data.layouts.choices import UNCERTAIN
from medxray.data.layouts.labels import number
from medxray.data.layouts.names import is_healthy, letters, nearest
from medxray.data.manifest import Skipped
from medxray.errors import ConfigError, DataError

BLANK = frozenset(
    ("", "nan", "nat", "null", "na", "n/a", "#n/a", "<na>", "?", "--", ".", "missing", "nil", "(blank)", "\\n")
    + ("#null!", "#value!", "#ref!", "#name?", "#div/0!", "#num!")
)
NOBODY = BLANK | {"-", "none", "unknown", "anonymous", "anonymized", "anonymised"}  # for a patient
_BETWEEN = re.compile(r"[|;,/]")
_AROUND = "[](){}'\" "


def read_labels(rows, table, *, positive_finding=None, uncertain=None):
    """Bring the labels of a CSV to one class per row.

    Args:
        rows: list of LabelledFile as they stand in the table.
        table: name of the CSV, for messages.
        positive_finding: the finding that makes an image positive, whatever stands beside it; None: a cell is a label.
        uncertain: one of UNCERTAIN, what the label -1 means; None: it is not expected.

    Returns:
        (rows, list of Skipped that tell how many rows are left out, and why).

    Raises:
        ConfigError: `uncertain` or `positive_finding` is impossible.
        DataError: -1 occurs beside 0 and 1 and `uncertain` is not given, or the finding occurs nowhere.
    """
    left_out = []
    rows = _one_spelling(rows)
    if uncertain is not None and uncertain not in UNCERTAIN:
        raise ConfigError(f"--uncertain must be one of {', '.join(UNCERTAIN)}. Received '{uncertain}'.")
    blank = BLANK if any(row.label == "+" for row in rows) else BLANK | {"-"}
    rows = _without(rows, lambda row: row.label.casefold() in blank, table, "without a label", left_out)
    unsure = [row for row in rows if number(row.label) == -1]
    if unsure and uncertain == "drop":
        rows = _without(rows, lambda row: number(row.label) == -1, table, "with the uncertain label -1", left_out)
    elif unsure and uncertain is not None:
        rows = _decided(rows, 1 if uncertain == "positive" else 0)
    elif unsure and all(number(row.label) in (-1, 0, 1) for row in rows):
        raise DataError(
            f"{len(unsure)} rows of {table} have the label -1, which means uncertain (first: {unsure[0].where}). "
            "Say with --uncertain drop, positive or negative what becomes of them."
        )
    if positive_finding is not None:
        rows = _against_rest(rows, positive_finding, table)
    return rows, left_out


def joins_findings(label):
    """True for a label such as "Effusion|Mass", "Effusion;Mass" or "['effusion', 'mass']"."""
    return "|" in label or ";" in label or (label.startswith("[") and label.endswith("]"))


def _without(rows, is_left_out, table, what, left_out):
    gone = [row for row in rows if is_left_out(row)]
    if gone:
        count = "1 row" if len(gone) == 1 else f"{len(gone)} rows"
        left_out.append(Skipped(table, f"{count} {what} left out (first: {gone[0].where})"))
    return [row for row in rows if not is_left_out(row)]


def _one_spelling(rows):
    """The rows with one spelling for each number: 1, 1.0, 1.00 and True are one label."""
    first = {}
    for row in rows:
        value = number(row.label)
        if value is not None:
            first.setdefault(value, row.label)
    return [replace(row, label=first.get(number(row.label), row.label)) for row in rows]


def _decided(rows, value):
    """The rows with -1 replaced by what stands for `value` in the other rows."""
    spelling = next((row.label for row in rows if number(row.label) == value), str(value))
    return [replace(row, label=spelling) if number(row.label) == -1 else row for row in rows]


def _against_rest(rows, finding, table):
    if is_healthy(finding):
        raise ConfigError(f"--positive-finding names what counts as sick. Received '{finding}'. Name a finding.")
    if not finding.strip() or "|" in finding:
        raise ConfigError(f"--positive-finding names one finding. Received '{finding}'. Name one, or pass --label-map.")
    wanted = _meaning(finding)
    parts = {label: _parts(label) for label in {row.label for row in rows}}
    present = {part for found in parts.values() for part in found}
    if rows and wanted not in map(_meaning, present):
        near = nearest(finding, sorted(present))
        guess = f" Did you mean {near!r}?" if near else ""
        shown = ", ".join(sorted(present)[:20]) + (", ..." if len(present) > 20 else "")
        raise DataError(f"--positive-finding '{finding}' stands in no row of {table}.{guess} Findings: {shown}.")
    name = next((part for part in sorted(present) if _meaning(part) == wanted), finding)
    positive = {label: wanted in map(_meaning, found) for label, found in parts.items()}
    return [replace(row, label=name if positive[row.label] else f"No {name}") for row in rows]


def _meaning(finding):
    """What is equal for two spellings of a finding: its number, so that 1 is 1.0 and 10 is not, or its letters."""
    value = number(finding)
    return letters(finding) if value is None else value


def _parts(label):
    """The findings in a cell: itself, and what stands between the marks that join findings."""
    return {part for part in (label, *(part.strip(_AROUND) for part in _BETWEEN.split(label))) if part}


def positive_wins(labels, finding):
    """Of the labels of several rows of one image the one that stays; None where they contradict each other.

    Args:
        labels: list of str.
        finding: the positive finding, or None.
    """
    if len({label.casefold() for label in labels}) == 1:
        return labels[0]
    if finding is None:
        return None
    return next(label for label in labels if _meaning(label) == _meaning(finding))
