"""What lies in a folder: files, links, system files, masks. No TensorFlow."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from medxray.data.layouts.pictures import is_picture
from medxray.data.manifest import Skipped

_JUNK = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "lost+found"}
_MASK_FOLDER = re.compile(
    r"masks?([\W_\d].*)?|.*masks|(.*[\W_]|left|right|lung|manual)mask|segmentations?([\W_].*)?|.*[\W_]segmentations?"
)
_OF_A_FACE = re.compile(r"(with|without|no|non)[\W_]*masks?")  # classes of another subject
_MASK_FILE = re.compile(r"(.+?)[ _.-]?(masks?|seg|segmentations?)")


@dataclass
class Listing:
    """The files of a folder.

    Attributes:
        files: pathlib.Path.
        masks: mask images, pathlib.Path.
        system_files: number of files such as .DS_Store and Thumbs.db.
        unread: subfolders that cannot be read, as Skipped.
        links: links that are not followed, as Skipped.
    """

    files: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    system_files: int = 0
    unread: list[Skipped] = field(default_factory=list)
    links: list[Skipped] = field(default_factory=list)


def is_junk(name):
    """True for a name of the operating system: hidden, __MACOSX, Thumbs.db."""
    return name.startswith(".") or name.casefold() in _JUNK


def is_mask_folder(name):
    """True for the name of a folder of masks: "masks", "lung masks", "ManualMask", "segmentations"."""
    name = name.strip().casefold()
    return bool(_MASK_FOLDER.fullmatch(name)) and not _OF_A_FACE.fullmatch(name)


def is_folder(entry):
    """True for an os.DirEntry of a folder, or of a link to one; False for a link that leads to itself."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry):
    """True for an os.DirEntry of a regular file, or of a link to one; False for a link that leads to itself."""
    try:
        return entry.is_file()
    except OSError:
        return False


def class_files(folder, classes=()):
    """Files below a class folder, by path, without system files and masks.

    A link to a folder is followed once. A link is left out where it leads back, or into a class folder: what lies there
    is counted there. Of two files such as x.png and x_mask.png the latter is a mask.

    Args:
        folder: the folder.
        classes: all class folders of the dataset.

    Returns:
        Listing.
    """
    found, seen, waiting = Listing(), set(), [Path(folder)]
    claimed = {os.path.realpath(place) for place in (folder, *classes)}
    while waiting:
        current = waiting.pop()
        plain = []
        for entry in _entries(current, found):
            reason = _why_not_followed(entry, claimed, seen)
            if is_junk(entry.name):
                found.system_files += not is_folder(entry)
            elif reason:
                found.links.append(Skipped(entry.path, reason))
            elif not is_folder(entry):
                plain.append(Path(entry.path))
            elif is_mask_folder(entry.name):
                found.masks += [path for path in class_files(entry.path).files if is_picture(path)]
            else:
                waiting.append(Path(entry.path))
        masks = _mask_files(plain)
        found.masks += masks
        found.files += [path for path in plain if path not in masks]
    found.files.sort()
    return found


def _entries(folder, found):
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        found.unread.append(Skipped(str(folder), f"the folder cannot be read: {os.strerror(error.errno)}"))
        return []


def _why_not_followed(entry, claimed, seen):
    """Why a link is left out; "" where it is followed, or is none. The target of a followed folder joins `seen`."""
    if not entry.is_symlink():
        return ""
    target = os.path.realpath(entry.path)
    inside = any(target == place or target.startswith(place + os.sep) for place in claimed)
    around = any(place.startswith(target.rstrip(os.sep) + os.sep) for place in claimed)
    back = os.path.realpath(os.path.dirname(entry.path)).startswith(target.rstrip(os.sep) + os.sep)
    if inside and os.path.exists(target):
        return f"a link to {target}, which is counted there"
    if around or back or os.path.realpath(os.path.dirname(entry.path)) == target:
        return f"a link that leads back to {target}"
    if target in seen:
        return f"a second link to {target}"
    if is_folder(entry):
        seen.add(target)
    return ""


def _mask_files(files):
    """Those of the files of one folder that are masks of another one: x_mask.png beside x.png."""
    stems = {path.stem.casefold() for path in files}
    matches = [(path, _MASK_FILE.fullmatch(path.stem.casefold())) for path in files]
    return {path for path, match in matches if match and match[1] in stems}
