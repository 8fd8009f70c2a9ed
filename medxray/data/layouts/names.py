"""What the names of labels and folders mean: healthy names, misspellings, negations. No TensorFlow."""

import difflib
import re
import unicodedata

_CLEARLY_HEALTHY = frozenset(  # as `letters`; they mean healthy beside whatever other names
    "normal normals normallung normallungs normalchest normalxray normalcxr normalcontrol normalcontrols healthy "
    "healthylung healthylungs healthychest healthycontrol healthycontrols control controls clear clearlung clearlungs "
    "negative unaffected none nofinding nofindings noabnormalfinding noabnormalfindings noacutefinding noacutefindings "
    "nodisease noacutedisease noacutecardiopulmonarydisease noabnormality noabnormalities noacuteabnormality "
    "nopathology nothingfound".split()
)
_HEALTHY_BESIDE_A_SICK_CLASS = frozenset("neg 0 no absent false benign".split())  # benign beside normal is a finding
_NEGATED = re.compile(r"(no|non|not|without)[ _-]", re.IGNORECASE)
_ZERO = re.compile(r"0+[.,]0+")
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # turn the writing around; hide what a name says
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad" + _DIRECTIONS))  # marks that no script needs
_NUMBERED = re.compile(r"[\W\d_]*[a-z]?[\W\d_]*")  # with a digit: 17, 00012_003, p10, 1.2.840.113
_HEXADECIMAL = re.compile(r"[0-9a-f]{12,}")
_STORAGE_WORDS = frozenset(  # of folders that say how files are kept, not what they show
    "image images img imgs picture pictures photo photos file files data dataset part parts batch batches "
    "chunk shard folder dir set subset train training test testing val valid validation patient patients "
    "pat subject subjects case cases study studies series visit session exam view views png jpg jpeg dicom dcm "
    "tif tiff bmp dicoms xray xrays cxr scan scans radiograph radiographs original originals raw sample "
    "samples labels annotations".split()
)
_EDEMA_GRADES = {
    **dict.fromkeys(("vascularcongestion", "congestion", "venouscongestion", "cephalization"), 1),
    "interstitial": 2,
    "alveolar": 3,
}
_NEGATIONS = ("ab", "un", "no", "non", "not")


def is_healthy(name):
    """True when a class name says that nothing was found: "NORMAL", "no finding", "non-edema", "0", "0.0"."""
    if is_clearly_healthy(name) or letters(name) in _HEALTHY_BESIDE_A_SICK_CLASS or _ZERO.fullmatch(name.strip()):
        return True
    return bool(_NEGATED.match(name.strip()))


def is_storage(name):
    """True for a folder name that says how files are kept: "images_001", "patient00012", "p10", "00017", "files"."""
    text = re.sub(r"x[\W_]?ray", "xray", name.casefold())
    numbered = _NUMBERED.fullmatch(text) and re.search(r"\d", text)
    words = set(re.findall(r"[^\W\d_]+", text)) - {"stage"}  # stage_2_train_images; but 2 is a class
    return bool(numbered or _HEXADECIMAL.fullmatch(letters(text)) or (words and words <= _STORAGE_WORDS))


def clean_label(text):
    """A label as it is compared and shown: composed letters (NFC), plain single blanks, no marks that are not seen.

    The marks that join letters or keep them apart in Persian or Hindi stay, except at the ends.
    """
    text = unicodedata.normalize("NFC", text).translate(_UNSEEN)
    return " ".join(text.split()).strip("\u200c\u200d\u200e\u200f ")


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


def in_order(names):
    """Names of classes as a tuple: numbers by value, grades of edema from mild to severe, all others by letters.

    Args:
        names: iterable of str, each different.

    Source: Horng et al. (2021), for the four grades of pulmonary edema.
    """
    names = sorted(names)
    if all(name.isascii() and name.isdecimal() for name in names):
        return tuple(sorted(names, key=int))
    grades = [edema_grade(name) for name in names]
    if len(names) > 2 and None not in grades and len(set(grades)) == len(names):
        return tuple(sorted(names, key=edema_grade))
    return tuple(names)


def edema_grade(name):
    """0 to 3 for a name of no edema, vascular congestion, interstitial and alveolar edema; None for another one."""
    if is_healthy(name):
        return 0
    words = re.sub(r"o?edema|pulmonary|lung", "", letters(name))
    return _EDEMA_GRADES.get(words)


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
