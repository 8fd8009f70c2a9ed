"""What the file names of the Kermany chest X-ray set say. No TensorFlow."""

import re

BACTERIAL, VIRAL = "bacterial", "viral"
DATASET = "paultimothymooney/chest-xray-pneumonia"
_SICK = re.compile(r"(person\d+)_(bacteria|virus)_\d+(?:_\d+)*", re.IGNORECASE)
_HEALTHY = re.compile(r"((?:NORMAL2-)?IM-\d+)(?:-\d+)+", re.IGNORECASE)
_MENDELEY = re.compile(r"(NORMAL|BACTERIA|VIRUS)-(\d{5,})-\d+", re.IGNORECASE)
_SUBTYPES = {"bacteria": BACTERIAL, "virus": VIRAL}


def patient_id(stem):
    """Patient key in a file name without extension; "" where the name has another form.

    `person1000_bacteria_2931` -> "person1000": the bare number, because 808 numbers of the training part occur with
    both subtypes and may be one child; a grouping that is too coarse costs nothing but a little freedom.
    `IM-0115-0001` -> "IM-0115" and `NORMAL2-IM-0115-0001` -> "NORMAL2-IM-0115": two patients, since the two series
    count separately and pictures of equal numbers are no more alike than any others.
    `BACTERIA-1008087-0001` -> "1008087": the names of the release on Mendeley Data.
    """
    mendeley = _MENDELEY.fullmatch(stem)
    if mendeley:
        return mendeley[2]
    match = _SICK.fullmatch(stem) or _HEALTHY.fullmatch(stem)
    return _canonical(match[1]) if match else ""


def subtype(stem):
    """The subtype that a file name states: "bacterial", "viral", or "" where it states neither."""
    match, mendeley = _SICK.fullmatch(stem), _MENDELEY.fullmatch(stem)
    kind = match[2] if match else mendeley[1] if mendeley else ""
    return _SUBTYPES.get(kind.lower(), "")


def _canonical(key):
    return key.lower() if key.lower().startswith("person") else key.upper()
