"""What the names of splits are, of folders and in tables. Imports nothing heavy."""

import re

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
_AROUND = frozenset("set data dataset images image imgs img split folder part seg".split())


def exact_split(name):
    """The split that a name is, whatever its case: "train", "val", "test"; "" for another name."""
    return SPLIT_NAMES.get(name.casefold(), "")


def split_among_words(name):
    """The split that a name such as "train_images", "Training set" or "01-test" speaks of; "" where it says more."""
    words = [word for word in re.findall(r"[^\W\d_]+", name.casefold()) if word not in _AROUND]
    return SPLIT_NAMES.get(words[0], "") if len(words) == 1 else ""
