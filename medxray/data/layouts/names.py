"""What the names of labels and folders mean: healthy names, misspellings, negations. No TensorFlow."""

import difflib
import re

_CLEARLY_HEALTHY = frozenset(  # as `letters`; they mean healthy beside whatever other names
    "normal normals normallung normallungs normalchest normalxray normalcxr normalcontrol normalcontrols healthy "
    "healthylung healthylungs healthychest healthycontrol healthycontrols control controls clear clearlung clearlungs "
    "negative unaffected none nofinding nofindings noabnormalfinding noabnormalfindings noacutefinding noacutefindings "
    "nodisease noacutedisease noacutecardiopulmonarydisease noabnormality noabnormalities noacuteabnormality "
    "nopathology nothingfound".split()
)
_HEALTHY_BESIDE_A_SICK_CLASS = frozenset("neg 0 no absent false benign".split())  # benign beside normal is a finding
_NEGATED = re.compile(r"(no|non|not|without)[ _-]", re.IGNORECASE)
_NEGATIONS = ("ab", "un", "no", "non", "not")


def is_healthy(name):
    """True when a class name says that nothing was found: "NORMAL", "no finding", "non-edema", "0"."""
    if is_clearly_healthy(name) or letters(name) in _HEALTHY_BESIDE_A_SICK_CLASS:
        return True
    return bool(_NEGATED.match(name.strip()))


def is_clearly_healthy(name):
    """True when a name means healthy images whatever the other classes are: "normal", "Healthy lungs", "no finding"."""
    return letters(name) in _CLEARLY_HEALTHY


def nearest(label, names):
    """The name that a label may be a misspelling of, or None; the opposite of a name is no misspelling of it.

    Args:
        label: str.
        names: str, all that it may mean.
    """
    words = {letters(name): name for name in names}
    near = difflib.get_close_matches(letters(label), [*words, *opposites(*names)], n=1)
    return words.get(near[0]) if near else None


def opposites(*names):
    """What the names become with and without a negation before them, as `letters`: abnormal, unhealthy; no edema."""
    words = [letters(name) for name in names]
    longer = {negation + word for word in words for negation in _NEGATIONS}
    return longer | {word.removeprefix(negation) for word in words for negation in _NEGATIONS} - {*words, ""}


def letters(name):
    """A name without case, blanks and punctuation; where it has nothing else, the name itself."""
    return "".join(filter(str.isalnum, name.casefold())) or name


def listed(names):
    """Names in one line: sorted where they have no order."""
    return ", ".join(sorted(names) if isinstance(names, (set, dict)) else list(names))
