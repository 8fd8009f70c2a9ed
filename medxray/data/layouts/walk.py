"""What lies in a folder: files, links, system files, masks. No TensorFlow."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from medxray.data.images.files import first_bytes, path_text
from medxray.data.layouts.pictures import is_named_like_picture, is_picture, looks_like_picture
from medxray.data.manifest import Skipped
from medxray.errors import DataError

_JUNK = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "lost+found"}
_MASK_FOLDER = re.compile(
    r"mask.*|.*masks|(.*[\W_]|left|right|lung|manual)mask|.*[\W_]masks?[\W_\d].*|segmentation.*|.*[\W_]segmentations?|"
    r"(.*[\W_])?segs?|segms?|annots?|lungmask.*|ground[\W_]*truths?|gt|labels?|annotations?|contours?|rois?"
)
_OF_A_FACE = re.compile(r"(with|without|no|non)[\W_]*masks?([\W_\d].*)?")  # classes of another subject
_MASK = r"(?:masks?|msks?|seg|segmentations?)"
_LABEL = r"(?:gt|labels?|annotations?|ground[\W_]?truth)"  # only after a sign that sets it apart
_OF_WHAT = r"(?:lungs?|left|right|lobes?|infection|lesion|heart|manual|binary|pred|predicted)"
_PICTURE = re.compile(r"[\W_]*(?:images?|img|cxr|x[\W_]?ray)[\W_]*")  # in the name of what has a mask: img_1, mask_1
_MASK_FILES = (  # of x: x_mask, x_lung_mask, x_mask_left, mask_x, x_label
    re.compile(rf"(.+?)[\W_]*{_MASK}(?:[\W_]*(?:\d+|left|right))?[\W_]*"),
    re.compile(rf"(.+?)[\W_]*{_OF_WHAT}[\W_]*{_MASK}[\W_]*"),
    re.compile(rf"(?:{_OF_WHAT}[\W_]*)?{_MASK}(?:[\W_]+(?=.)|(?=\d))(.+)"),
    re.compile(rf"(.+?)[\W_]+{_LABEL}"),
)
_CALLED_MASK = re.compile(rf"(?:.+[\W_])?{_OF_WHAT}?[\W_]?masks?(?:[\W_]?\d+)?|(?:{_OF_WHAT}[\W_]?)?masks?[\W_].+")


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


def is_mask_folder(path):
    """True for a folder of masks by its name: "masks", "lung masks", "ManualMask", "segmentations".

    A folder that holds a folder of masks beside other folders, such as "Lung Segmentation", is none.

    Args:
        path: the folder, str or pathlib.Path.
    """
    if not _is_mask_name(os.path.basename(path)):
        return False
    inner = [entry.name for entry in _entries(path, Listing()) if is_folder(entry) and not is_junk(entry.name)]
    return len({_is_mask_name(name) for name in inner}) < 2


def _is_mask_name(name):
    name = name.strip().casefold()
    return bool(_MASK_FOLDER.fullmatch(name)) and not _OF_A_FACE.fullmatch(name)


def mask_images(folder):
    """The pictures in a folder of masks, and in those that it holds, list of pathlib.Path."""
    found = class_files(folder)
    return [path for path in (*found.files, *found.masks) if is_picture(path)]


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


def plain_entries(folder):
    """Entries (list of os.DirEntry) of a folder without system files, by name.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not is_junk(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        reason = os.strerror(error.errno)
        raise DataError(f"Could not read folder {folder}: {reason}. Check its permissions.") from error


def doubled_links(folder, entries):
    """(path, target) of those of the entries that are links to folders that lead back, or to another of the entries."""
    if not any(entry.is_symlink() for entry in entries):
        return []
    here = os.path.realpath(folder) + os.sep
    seen = {os.path.realpath(entry.path) for entry in entries if not entry.is_symlink()}
    found = []
    for entry in entries:
        target = os.path.realpath(entry.path)
        if entry.is_symlink() and (target in seen or here.startswith(target.rstrip(os.sep) + os.sep)):
            found.append((entry.path, target))
        seen.add(target)
    return found


def stray(folder):
    """Images that lie in a folder of folders, and links there that lead nowhere, as Skipped."""
    entries = plain_entries(folder)
    loose = [entry.name for entry in entries if is_file(entry) and looks_like_picture(entry.path)]
    count = "1 image in no class folder is" if len(loose) == 1 else f"{len(loose)} images in no class folder are"
    found = [Skipped(str(folder), f"{count} left out, such as {path_text(loose[0])}")] if loose else []
    lost = [entry for entry in entries if entry.is_symlink() and not os.path.exists(entry.path)]
    return found + [Skipped(entry.path, f"a link to {os.readlink(entry.path)}, where nothing is") for entry in lost]


def meant_as_images(folder):
    """True where a folder without images holds what stands for some.

    These are masks, the index of DICOM files, links that lead nowhere, pipes and the like with the name of an image,
    data without an extension, and subfolders that cannot be read.

    Args:
        folder: pathlib.Path.
    """
    listing = class_files(folder)
    return bool(listing.masks or listing.unread) or any(map(_stands_for_image, listing.files))


def _stands_for_image(path):
    if not os.path.isfile(path):
        return not path.suffix or is_named_like_picture(path.name)
    if path.suffix.casefold() == ".lnk" or is_named_like_picture(path.stem):  # x.png.icloud, x.png.part
        return True
    return path.name.casefold() == "dicomdir" or (not path.suffix and b"\0" in first_bytes(path))


def class_files(folder, classes=(), followed=None):
    """Files below a class folder, by path, without system files and masks.

    A link to a folder is followed once, in all calls with one set `followed`. A link is left out where it leads back,
    or into a class folder: what lies there is counted there. Of two files such as x.png and x_mask.png the latter is a
    mask; so are all pictures of a folder where each is called one.

    Args:
        folder: the folder.
        classes: all class folders of the dataset.
        followed: set of the folders that links led to, which grows; None: a new one.

    Returns:
        Listing.
    """
    found, seen, waiting = Listing(), set() if followed is None else followed, [Path(folder)]
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
            elif is_mask_folder(entry.path):
                found.masks += mask_images(entry.path)
            else:
                waiting.append(Path(entry.path))
        masks = _mask_files(plain)
        found.masks += sorted(masks)
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
    """Those of the files of one folder that are masks: x_mask.png beside x.png, or all where all are called masks."""
    stems = {path.stem.casefold() for path in files}
    stems |= {_PICTURE.sub("", stem) for stem in stems} - {""}
    masks = {path for path in files if _masked_stem(path.stem.casefold(), stems)}
    others = [path for path in files if path not in masks and is_named_like_picture(path.name)]
    if others and all(_is_called_mask(path.stem.casefold()) for path in others):
        masks.update(others)
    return masks


def _is_called_mask(stem):
    return bool(_CALLED_MASK.fullmatch(stem)) and not _OF_A_FACE.match(stem)


def _masked_stem(stem, stems):
    """Whether `stem` is the name of a mask of another of the stems."""
    matches = [pattern.fullmatch(stem) for pattern in _MASK_FILES]
    return any(match and match[1] in stems for match in matches)
