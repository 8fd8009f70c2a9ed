"""From the labels of a source to the classes of a task. No TensorFlow."""

import re
import shlex
from dataclasses import dataclass, replace

from medxray.data.layouts import kermany
from medxray.data.layouts.names import in_order, is_healthy, listed, nearest
from medxray.data.tasks import NORMAL, PNEUMONIA, TASK_CLASSES, TASKS
from medxray.errors import ConfigError, DataError

BY_NAME = ""  # the names say which class is the normal one
ABNORMAL = "ABNORMAL"  # all other classes together, where there are several
_TYPO_LIMIT = 8  # training refuses a class with fewer images, so fewer rows are a typo and not a class
_DECIMAL_COMMA = re.compile(r"^([+-]?\d+),(0+)$")
_TRUTH = {"true": "1", "false": "0"}
_SUBTYPES = (kermany.BACTERIAL, kermany.VIRAL)


@dataclass(frozen=True)
class LabelledFile:
    """One file as its source describes it.

    Attributes:
        file: path as POSIX text, relative to the source's folder where it lies below it.
        label: as the source has it.
        patient_id: "" where it is unknown.
        split: "train", "val", "test" or "".
        where: its place in a CSV, "" in a folder tree.
        subtype: a finer label, "" where there is none.
    """

    file: str
    label: str
    patient_id: str
    split: str
    where: str = ""
    subtype: str = ""


def known_task(task):
    """Return `task` when it is one; raises ConfigError otherwise. None stands for "find out"."""
    if task is not None and task not in TASKS:
        raise ConfigError(f"Task must be one of {', '.join(TASKS)}. Received {task!r}.")
    return task


def guess_task(rows):
    """The task: "pneumonia" when the labels are those of the Kermany set (apart from a few typing errors in a CSV)."""
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


def apply_label_map(rows, label_map, *, elsewhere=(), finer=False):
    """Rename source labels; keys match whatever their case, and numbers by their value.

    Args:
        rows: list of LabelledFile.
        label_map: dict source label -> class, or None.
        elsewhere: labels that the keys may name as well, such as those of a split file.
        finer: what becomes ABNORMAL keeps its label as subtype.

    Raises:
        DataError: a key is neither a label of the source nor one of `elsewhere`.
    """
    present = {_key(label): label for label in (*elsewhere, *(row.label for row in rows))}
    for source in label_map or ():
        if rows and _key(str(source)) not in present:
            raise DataError(
                f"--label-map names {source!r}, which is no label here. Labels: {listed(present.values())}. "
                "Correct the name."
            )
    return [renamed(row, label_map, finer=finer) for row in rows] if label_map else rows


def renamed(row, label_map, *, finer=False):
    """A LabelledFile with the label that a label map (dict or None) has for it; its own where the map has none.

    With `finer` what becomes ABNORMAL keeps its label as subtype, unless it has a subtype already.
    """
    label = _wanted(label_map).get(_key(row.label), row.label)
    becomes_abnormal = label.casefold() == ABNORMAL.casefold() and row.label.casefold() != ABNORMAL.casefold()
    if finer and becomes_abnormal and not row.subtype:
        return replace(row, label=label, subtype=row.label)
    return replace(row, label=label)


def _wanted(label_map):
    return {_key(str(source)): target for source, target in (label_map or {}).items()}


def _key(label):
    """What is equal for two spellings of a label: its number, or its text without case."""
    value = number(label)
    return label.strip().casefold() if value is None else value


def class_names(rows, task, classes):
    """The classes in order, before the positive one is moved last.

    Args:
        rows: list of LabelledFile with labels as in the source.
        task: one of TASKS.
        classes: the classes to use, for example those of a trained model, or None.

    Returns:
        tuple of str: those given, those of the task, or the labels found, ordered by `in_order`; spellings that
        differ in case only are one class.
    """
    if classes is not None:
        return tuple(classes)
    if task in TASK_CLASSES:
        return TASK_CLASSES[task]
    names = spellings(rows).values()
    if len(names) < 2:
        found = f"one class only: {listed(names)}" if names else "no labels"
        raise DataError(f"Expected at least two classes. Found {found}. Add the other class, or name another folder.")
    return in_order(names)


def spellings(rows):
    """The first spelling of each label of the rows, by the label without case."""
    found = {}
    for row in rows:
        found.setdefault(row.label.casefold(), row.label)
    return found


def order_binary(classes, positive, *, task):
    """Put the positive one of two classes last.

    Args:
        classes: tuple of class names.
        positive: the class that counts as sick, or None to find it by the names.
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
                f"--positive is for two classes. There are {len(classes)}: {listed(classes)}. Leave it out."
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
    raise ConfigError(f"--positive must be one of {listed(classes)}. Received {positive!r}.")


def _sick_one(classes):
    sick = [name for name in classes if not is_healthy(name)]
    if len(sick) != 1:
        raise DataError(
            f"The names of the classes {listed(classes)} do not say which one is sick. "
            f"Pass --positive {shlex.quote(classes[0])} or --positive {shlex.quote(classes[1])}."
        )
    return sick[0]


def resolve(row, classes, task):
    """Class and subtype of a row.

    A label that is no class may be finer than the classes (BACTERIAL in the pneumonia task), or coarser, where the
    row has a subtype that is a class.

    Returns:
        (class name, subtype); the class is None where the task needs a subtype that the file name does not give.

    Raises:
        DataError: the label is none of the classes.
    """
    stem = row.file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    label, subtype = row.label, row.subtype
    if not subtype and task != "folders" and label.casefold() != NORMAL.casefold():
        subtype = kermany.subtype(stem)
    if task == "pneumonia-subtype" and label.casefold() == PNEUMONIA.casefold():
        if not subtype:
            return None, ""
        label = subtype
    if task == "pneumonia" and label.casefold() in _SUBTYPES:
        label, subtype = PNEUMONIA, subtype or label.casefold()
    for name in classes:
        if name.casefold() == label.casefold() or (number(label) is not None and number(name) == number(label)):
            return name, subtype or _subtype_of(name, task)
    for name in classes:
        if name.casefold() == row.subtype.casefold():
            return name, _subtype_of(name, task)
    near = nearest(label, classes)
    where = f" ({row.where})" if row.where else f" ({row.file})"
    hint = "Fix the row or pass --label-map." if row.where else "Rename the folder or pass --label-map."
    guess = f" Did you mean {near}?" if near else ""
    raise DataError(f"Label must be one of {listed(classes)}. Received {row.label!r}{where}.{guess} {hint}")


def number(label):
    """The number that a label is, or None: 1, 1.0, 1,0 and True are one, -1 may have a typographic minus."""
    text = _DECIMAL_COMMA.sub(r"\1.\2", label.strip().replace("\u2212", "-"))
    try:
        return float(_TRUTH.get(text.casefold(), text))
    except ValueError:
        return None


def _subtype_of(name, task):
    return name.lower() if task == "pneumonia-subtype" and name.lower() in _SUBTYPES else ""


def parse_label_map(text):
    """Read a label map: "a=B,c=D" -> {"a": "B", "c": "D"}; None stays None.

    Raises:
        ConfigError: it has another form, or a label occurs twice.
    """
    if text is None:
        return None
    pairs = [tuple(part.strip() for part in pair.split("=")) for pair in text.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        raise ConfigError(f"--label-map must be label=CLASS[,label=CLASS...], each label once. Received '{text}'.")
    return dict(pairs)
