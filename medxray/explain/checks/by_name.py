"""Which mask, or which rows of a table, belong to which image, by the names of files and folders. No TensorFlow."""

import logging
from typing import NamedTuple

from medxray.errors import DataError

log = logging.getLogger(__name__)


class Named(NamedTuple):
    """What is known under the name of an image.

    Attributes:
        folders: tuple of names of folders, the outermost first; empty where none are named.
        stem: name of the image without its ending.
        item: what is known.
        text: the whole name, for messages.
    """

    folders: tuple
    stem: str
    item: object
    text: str


def matched(files, entries, *, source, kind):
    """Find what is known of each image: that of its name, and of its folders where they are named.

    Where folders of the entries are those that images lie in (such as NORMAL, or test/NORMAL), an entry of another
    folder is none of the image. Else the name of the file alone decides, and a warning says so.

    Args:
        files: list of pathlib.Path of images.
        entries: list of Named.
        source: where they come from, for messages.
        kind: what they are, in the plural, for messages.

    Returns:
        list with the `item` of an entry, or None, for each image.

    Raises:
        DataError: an image has several entries, or an entry several images.
    """
    by_stem = {}
    for entry in entries:
        by_stem.setdefault(entry.stem, []).append(entry)
    places = [file.absolute().parent.parts for file in files]
    alike = _are_alike({entry.folders for entry in entries if entry.folders}, set(places))
    image_of, found, elsewhere = {}, [], []
    for file, place in zip(files, places, strict=True):
        fitting = [entry for entry in by_stem.get(file.stem, []) if not alike or _shared(entry.folders, place)[1]]
        entry = _nearest(fitting, file, place, source, kind)
        found.append(None if entry is None else entry.item)
        if entry is None:
            continue
        if id(entry) in image_of:
            _refuse_two_images(entry, image_of[id(entry)], file, source, kind)
        image_of[id(entry)] = file
        if not _shared(entry.folders, place)[1]:
            elsewhere.append((entry, file))
    if elsewhere:
        entry, file = elsewhere[0]
        log.warning(
            "%d %s of %s lie in other folders than their images, such as %s for %s: the name alone matched them.",
            len(elsewhere),
            kind,
            source,
            entry.text,
            file,
        )
    return found


def _are_alike(named, places):
    return any(_shared(folders, place)[1] for folders in named for place in places)


def _shared(folders, place):
    """(How many folders of an entry and an image are the same, counted from the file; whether all of the entry are)."""
    count = 0
    for one, other in zip(reversed(folders), reversed(place), strict=False):
        if one != other:
            break
        count += 1
    return count, count == len(folders)


def _nearest(entries, file, place, source, kind):
    """The entry that shares most folders with an image, or None; DataError where it is not one."""
    most = max((_shared(entry.folders, place)[0] for entry in entries), default=0)
    best = [entry for entry in entries if _shared(entry.folders, place)[0] == most]
    if len(best) > 1:
        raise DataError(
            f"{source} has several {kind} named {file.stem}, {best[0].text} and {best[1].text}, and {file} needs one. "
            f"Keep one of them, or give each the folders of its image, as in {file.parent.name}/{file.stem}."
        )
    return best[0] if best else None


def _refuse_two_images(entry, one, other, source, kind):
    raise DataError(
        f"{entry.text} of {source} fits two images, {one} and {other}, and each needs its own. Give {kind} the folders "
        f"of their images, as in {one.parent.name}/{one.stem} and {other.parent.name}/{other.stem}, or rename an image."
    )
