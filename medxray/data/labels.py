"""From the labels of a source to the classes of a task. No TensorFlow."""

import difflib
from dataclasses import dataclass

from medxray.data import kermany
from medxray.data.folders import is_healthy
from medxray.data.manifest import TASKS
from medxray.errors import ConfigError, DataError

TASK_CLASSES = {
    "pneumonia": (kermany.NORMAL, kermany.PNEUMONIA),
    "pneumonia-subtype": (kermany.NORMAL, "BACTERIAL", "VIRAL"),
}
BY_NAME = ""  # the normal class is told from the names
ABNORMAL = "ABNORMAL"
_TYPO_LIMIT = 8  # training refuses a class with fewer images, so fewer rows are a typo and not a class


@dataclass(frozen=True)
class Row:
    """One file as its source describes it; `where` is its place in a CSV, "" in a folder tree."""

    file: str
    label: str
    patient_id: str
    split: str
    where: str = ""


def known_task(task):
    """Return `task` when it is one; raises ConfigError otherwise. None stands for "find out"."""
    if task is not None and task not in TASKS:
        raise ConfigError(f"Task must be one of {', '.join(TASKS)}. Received {task!r}.")
    return task


def guess_task(rows):
    """ "pneumonia" when the labels are those of the Kermany set (apart from a few typing errors in a CSV)."""
    labels = [row.label.casefold() for row in rows]
    known = {name.casefold() for name in TASK_CLASSES["pneumonia"]}
    present = set(labels)
    strange = [row for row, label in zip(rows, labels, strict=True) if label not in known]
    if not strange and present:
        return "pneumonia"
    in_csv = bool(rows and rows[0].where)
    return "pneumonia" if in_csv and known <= present and _all_rare(strange) else "folders"


def _all_rare(rows):
    counts = {}
    for row in rows:
        counts[row.label] = counts.get(row.label, 0) + 1
    return max(counts.values(), default=0) < _TYPO_LIMIT


def apply_label_map(rows, label_map):
    """Rename source labels; keys match whatever their case.

    Raises:
        DataError: a key is no label of the source.
    """
    wanted = {str(source).strip().casefold(): target for source, target in (label_map or {}).items()}
    present = {row.label.casefold(): row.label for row in rows}
    for source in wanted:
        if rows and source not in present:
            raise DataError(
                f"--label-map names {source!r}, which is no label here. Labels: {_listed(present.values())}. "
                "Correct the name."
            )
    return [_relabel(row, wanted.get(row.label.casefold(), row.label)) for row in rows]


def _relabel(row, label):
    return Row(row.file, label, row.patient_id, row.split, row.where)


def against_normal(rows, normal, *, task, classes=None):
    """Set one class against all others, which become one class.

    Args:
        rows: list of Row with labels as in the source.
        normal: the normal class, or BY_NAME.
        task: one of TASKS.
        classes: the two classes of a trained model, normal first: every other label becomes the second; or None.

    Returns:
        (rows, name of the class that is not normal). One other class keeps its name, several become ABNORMAL.

    Raises:
        ConfigError: `normal` is no class, or the names do not say which one is normal.
    """
    if classes is not None:
        return _all_but(rows, normal, classes[1]), classes[1]
    if task in TASK_CLASSES:
        names = TASK_CLASSES[task]
    else:
        names = tuple(sorted({row.label.casefold(): row.label for row in rows}.values()))
    chosen = [name for name in names if name.casefold() == str(normal).strip().casefold()]
    if normal == BY_NAME:
        chosen = [name for name in names if is_healthy(name)]
    if len(chosen) != 1:
        told = "The names do not say it." if normal == BY_NAME else f"Received '{normal}'."
        raise ConfigError(f"--normal must be one of {_listed(names)}. {told}")
    if task == "pneumonia" and chosen[0] != names[0]:
        raise ConfigError(f"--normal is {names[0]} in the pneumonia task. Received '{normal}'. Use --task folders.")
    others = [name for name in names if name != chosen[0]]
    if len(others) < 2:
        return rows, others[0] if others else None
    if chosen[0].casefold() == ABNORMAL.casefold():
        raise ConfigError(f"--normal cannot be called {ABNORMAL}, as the other classes together are. Pass --label-map.")
    return _all_but(rows, chosen[0], ABNORMAL), ABNORMAL


def _all_but(rows, normal, other):
    """Give every row the label `other`, unless it has the label `normal` in whatever case."""
    return [row if row.label.casefold() == normal.casefold() else _relabel(row, other) for row in rows]


def class_names(rows, task, classes):
    """The classes in order, before the positive one is moved last.

    Args:
        rows: list of Row with labels as in the source.
        task: one of TASKS.
        classes: the classes to use, for example those of a trained model, or None.

    Returns:
        tuple of str: those given, those of the task, or the labels found, sorted; spellings that differ in case
        only are one class.
    """
    if classes is not None:
        return tuple(classes)
    if task in TASK_CLASSES:
        return TASK_CLASSES[task]
    spellings = {}
    for row in rows:
        spellings.setdefault(row.label.casefold(), row.label)
    if len(spellings) < 2:
        found = f"one class only: {_listed(spellings.values())}" if spellings else "no labels"
        raise DataError(f"Expected at least two classes. Found {found}. Add the other class, or name another folder.")
    return tuple(sorted(spellings.values()))


def order_binary(classes, positive, *, task):
    """Put the positive one of two classes last.

    Args:
        classes: tuple of class names.
        positive: the class that counts as sick, or None to tell it from the names.
        task: one of TASKS.

    Returns:
        (classes, positive); positive is None for three or more classes.

    Raises:
        ConfigError: `positive` is no class, contradicts the task, or is given for three or more classes.
        DataError: the names of two classes do not say which is sick.
    """
    if positive is not None:
        positive = _match(positive, classes)
    if len(classes) != 2:
        if positive is not None:
            raise ConfigError(
                f"--positive is for two classes. There are {len(classes)}: {_listed(classes)}. Leave it out."
            )
        return classes, None
    if task == "pneumonia" and positive not in (None, classes[-1]):
        raise ConfigError(
            f"--positive is {classes[-1]} in the pneumonia task. Received {positive!r}. Use --task folders."
        )
    if positive is None:
        positive = classes[-1] if task == "pneumonia" else _sick_one(classes)
    return tuple(sorted(classes, key=lambda name: name == positive)), positive


def _match(positive, classes):
    for name in classes:
        if name.casefold() == str(positive).strip().casefold():
            return name
    raise ConfigError(f"--positive must be one of {_listed(classes)}. Received {positive!r}.")


def _sick_one(classes):
    sick = [name for name in classes if not is_healthy(name)]
    if len(sick) != 1:
        raise DataError(
            f"The names of the classes {_listed(classes)} do not say which one is sick. "
            f"Pass --positive {classes[0]} or --positive {classes[1]}."
        )
    return sick[0]


def resolve(row, classes, task):
    """Class and subtype of a row.

    Returns:
        (class name, subtype); the class is None where the task needs a subtype that the file name does not give.

    Raises:
        DataError: the label is none of the classes.
    """
    stem = row.file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    label = row.label
    subtype = kermany.subtype(stem) if task != "folders" and label.casefold() != kermany.NORMAL.casefold() else ""
    if task == "pneumonia-subtype" and label.casefold() == kermany.PNEUMONIA.casefold():
        if not subtype:
            return None, ""
        label = subtype
    for name in classes:
        if name.casefold() == label.casefold():
            return name, subtype or _subtype_of(name, task)
    near = difflib.get_close_matches(label.upper(), [name.upper() for name in classes], n=1)
    where = f" ({row.where})" if row.where else f" ({row.file})"
    hint = "Fix the row or pass --label-map." if row.where else "Rename the folder or pass --label-map."
    guess = f" Did you mean {next(name for name in classes if name.upper() == near[0])}?" if near else ""
    raise DataError(f"Label must be one of {_listed(classes)}. Received {row.label!r}{where}.{guess} {hint}")


def _subtype_of(name, task):
    return name.lower() if task == "pneumonia-subtype" and name.lower() in (kermany.BACTERIAL, kermany.VIRAL) else ""


def _listed(names):
    return ", ".join(sorted(names) if isinstance(names, (set, dict)) else list(names))
