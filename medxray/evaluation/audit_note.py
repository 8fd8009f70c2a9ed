"""What the record, the notes and the model card of a run say about its shortcut audits. No TensorFlow."""

import logging

from medxray.evaluation.markdown import part, text
from medxray.runs.directory import SHORTCUT_AUDITS
from medxray.system import storage

log = logging.getLogger(__name__)
_BEGIN = "- **Shortcut audit**"
_HEADING = "## Caveats\n\n"


def audit_lines(record):
    """Lines of a list in Markdown, one for each split that was audited: list of str.

    Args:
        record: dict as in run.json.
    """
    audits = part(record, SHORTCUT_AUDITS)
    return [
        f"{_BEGIN} ({text(split)}, {text(found.get('n'))} images): {text(found.get('verdict'))}"
        for split, found in audits.items()
        if isinstance(found, dict)
    ]


def with_audit_lines(card, lines):
    """A model card with these lines at the beginning of its caveats, in place of earlier ones.

    Args:
        card: str, Markdown.
        lines: list of str, of `audit_lines`.

    Returns:
        str, or None where the card has no caveats.
    """
    kept = "".join(line for line in card.splitlines(keepends=True) if not line.startswith(_BEGIN))
    if _HEADING not in kept:
        return None
    return kept.replace(_HEADING, _HEADING + "".join(f"{line}\n" for line in lines), 1)


def note_audit(directory, split, report):
    """Put the verdict of an audit into run.json and into the model card, which is not changed otherwise.

    Args:
        directory: runs.directory.RunDir.
        split: name of the split that was audited.
        report: dict with n and verdict.

    Raises:
        StorageError: the run's directory cannot be written.
    """
    entry = {"n": report["n"], "verdict": report["verdict"]}
    record = directory.read_record()
    audits = part(record, SHORTCUT_AUDITS) | {split: entry}
    directory.update_record(**{SHORTCUT_AUDITS: audits})
    if not directory.card_file.is_file():
        log.info("%s is missing; the next export writes it with the audit.", directory.card_file)
        return
    card = with_audit_lines(directory.card_file.read_text(encoding="utf-8"), audit_lines({SHORTCUT_AUDITS: audits}))
    if card is None:
        log.warning("%s has no section Caveats: the audit is not in it.", directory.card_file)
    else:
        storage.write_text(directory.card_file, card)
