"""One normal class against all others, as an anomaly run sees the labels of its data. No TensorFlow."""

import functools
import logging
import os
import re
from collections import Counter
from dataclasses import replace

from medxray.data.layouts.labels import ABNORMAL, BY_NAME, spellings
from medxray.data.layouts.names import is_clearly_healthy, is_healthy, letters, listed, opposites
from medxray.data.tasks import TASK_CLASSES
from medxray.errors import ConfigError, DataError

log = logging.getLogger(__name__)
ABNORMAL_NEEDED = (
    "an anomaly run is fitted on normal images alone, but its threshold and figures need abnormal validation and test "
    "images, labelled"
)
_NAMED_IN_LOG = 12  # labels
_SHORTEST = 5  # letters of a word that may be misspelt: fine is not fire
_MARK = re.compile(r"\d+|[ivx]+|[^\W\d_]")  # what tells names of a series apart: number, Roman number, letter


def against_normal(rows, normal, *, task, classes=None):
    """Set one class against all others, which become one class.

    Args:
        rows: list of LabelledFile with labels as in the source.
        normal: the normal class, or BY_NAME.
        task: one of TASKS.
        classes: the two classes of a trained model, normal first: every other label becomes the second; or None.

    Returns:
        (rows, name of the class that is not normal). One other class keeps its name; several become ABNORMAL, and
        their labels are kept as subtypes.

    Raises:
        ConfigError: `normal` is no class, or the names do not say which one is normal.
        DataError: there is no other class, or another one seems to be normal as well.
    """
    if classes is not None:
        return _merged(rows, normal, classes[1]), classes[1]
    if task in TASK_CLASSES:
        names = TASK_CLASSES[task]
    else:
        names = tuple(sorted(spellings(rows).values()))
    chosen = _chosen(names, normal, task=task)
    others = [name for name in names if name != chosen]
    if not others:
        raise DataError(f"All images are of class {chosen}; {ABNORMAL_NEEDED}. Add some.")
    if len(others) == 1:
        for row in rows:
            if row.label.casefold() == others[0].casefold():
                _check_abnormal(row, chosen, ABNORMAL)
        return rows, others[0]
    if chosen.casefold() == ABNORMAL.casefold():
        raise ConfigError(f"--normal cannot be called {ABNORMAL}, as the other classes together are. Pass --label-map.")
    return _merged(rows, chosen, ABNORMAL), ABNORMAL


def _chosen(names, normal, *, task):
    """The normal one of the class names."""
    chosen = [name for name in names if name.casefold() == str(normal).strip().casefold()]
    if normal == BY_NAME:
        chosen = [name for name in names if is_healthy(name)]
    if len(chosen) != 1:
        reason = "The names do not say it." if normal == BY_NAME else f"Received '{normal}'."
        raise ConfigError(f"--normal must be one of {listed(names)}. {reason}")
    if task == "pneumonia" and chosen[0] != names[0]:
        raise ConfigError(f"--normal is {names[0]} in the pneumonia task. Received '{normal}'. Use --task folders.")
    return chosen[0]


def _merged(rows, normal, other):
    """`merge` of every row, with a line in the log that says what became one class."""
    first = spellings(rows)
    rows = [merge(replace(row, label=first[row.label.casefold()]), normal, other) for row in rows]
    counts = Counter(row.subtype for row in rows if row.label == other and row.subtype).most_common()
    if counts:
        former = ", ".join(f"{name} ({count})" for name, count in counts[:_NAMED_IN_LOG])
        more = f" and {len(counts) - _NAMED_IN_LOG} more labels" if len(counts) > _NAMED_IN_LOG else ""
        log.info("%s: %s%s", other, former, more)
    return rows


def merge(row, normal, other):
    """Give a LabelledFile the label `other`, unless it has the label `normal` in whatever case.

    Returns:
        LabelledFile; its subtype is the former label, unless it has a subtype already.

    Raises:
        DataError: the label is a name of healthy images, or nearly that of the normal class.
    """
    if row.label.casefold() == normal.casefold():
        return row
    if row.label.casefold() == other.casefold():
        return replace(row, label=other)
    _check_abnormal(row, normal, other)
    return replace(row, label=other, subtype=row.subtype or row.label)


def _check_abnormal(row, normal, other):
    if _seems_normal(row.label, normal):
        raise DataError(
            f"Label {row.label!r} ({row.where or row.file}) is not the normal class {normal}, but seems to mean it. "
            f"Pass --label-map '{row.label}={normal}', or '{row.label}={other}' if it is abnormal."
        )


@functools.lru_cache(maxsize=4096)
def _seems_normal(label, normal):
    """True for a clear name of healthy images and for a misspelling of `normal`, but not for the next of a series."""
    word, known = letters(label), letters(normal)
    if word in {*opposites(normal), f"a{known}"}:
        return False
    if is_clearly_healthy(label) or word == known:
        return True
    return min(len(word), len(known)) >= _SHORTEST and _one_edit(word, known) and not _in_series(label, normal)


def _one_edit(one, other):
    """True when one wrong, missing or additional letter, or two in the wrong order, make one word of the other."""
    start = len(os.path.commonprefix([one, other]))
    one, other = one[start:], other[start:]
    end = len(os.path.commonprefix([one[::-1], other[::-1]]))
    one, other = one[: len(one) - end], other[: len(other) - end]
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])


def _in_series(label, normal):
    """True for names such as grade A and grade B, stage 1 and stage 10, type I and type II."""
    words = [re.findall(r"[^\W\d_]+|\d+", name.casefold()) for name in (label, normal)]
    if len(words[0]) != len(words[1]):
        return False
    return all(a == b or (_MARK.fullmatch(a) and _MARK.fullmatch(b)) for a, b in zip(*words, strict=True))
