"""Rows of a folder: where its classes are, and what in it is no part of the dataset. No TensorFlow."""

import logging
import os
from pathlib import Path

from medxray.data.images.access import path_text
from medxray.data.layouts.folders import ClassFolder, Tree, find_tree
from medxray.data.layouts.labels import LabelledFile
from medxray.data.layouts.names import is_healthy, is_storage, listed
from medxray.data.layouts.pictures import is_picture, is_text, looks_like_picture
from medxray.data.layouts.public_releases import label_in_name, labelling_tables, table_advice, tables_of
from medxray.data.layouts.split_names import exact_split
from medxray.data.layouts.walk import class_files, mask_images
from medxray.data.manifest import Skipped, is_portable, portable_path
from medxray.errors import DataError

log = logging.getLogger(__name__)
_GRADES = "01234"  # folders named so, from 0 on and without a gap, are grades; more numbers would be parts of a set
_SHOWN = 10


def folder_rows(data, *, named=()):
    """Rows of the dataset in a folder.

    Args:
        data: existing folder.
        named: labels that are known to be classes, whatever they look like.

    Returns:
        (absolute root, list of LabelledFile, list of Skipped for files that cannot be used, list of Skipped for what is
        no part of the dataset, list of ClassFolder).

    Raises:
        DataError: no dataset, several of them, or folders that are no classes.
    """
    tree = _tree(data, named)
    root = tree.base.absolute()
    places = [item.folder for item in tree.folders]
    followed = set()
    listings = [class_files(folder, places, followed) for folder in places]
    files = [(file, item) for item, listing in zip(tree.folders, listings, strict=True) for file in listing.files]
    texts = [file for file, _ in files if _is_text(file)]
    rows = [_row(file, item, root) for file, item in files if not _is_text(file)]
    unread = [item for listing in listings for item in listing.unread]
    ignored = [*tree.ignored, *(item for listing in listings for item in listing.links)]
    ignored += _counted(_masks(tree, listings), "mask image") + _counted(texts, "text")
    log.debug("%s: %d system files passed over", data, sum(listing.system_files for listing in listings))
    _tell(data, ignored)
    unread, ignored = ([Skipped(_shown(item.path, root), item.reason) for item in items] for items in (unread, ignored))
    return root, [row for row in rows if is_portable(row.file)], unread + _unnameable(rows), ignored, tree.folders


def _tree(data, named):
    """The Tree of a folder; that of a set with the labels in the file names where its folders say nothing."""
    try:
        tree = find_tree(data)
        problem = None
    except DataError as error:
        tree, problem = None, error
    labels = {item.label for item in tree.folders} if tree is not None else ()
    if len(labels) < 2 or not any(map(is_healthy, labels)):
        by_name = _labelled_by_name(data)
        if by_name is not None:
            return by_name
    if tree is None:
        raise _with_advice(data, problem)
    _check_named(tree)
    _check_no_storage(data, tree, named)
    _check_distinct(tree)
    return tree


def _labelled_by_name(data):
    """The Tree of a folder whose pictures all have their label in their name, or None."""
    files = class_files(data).files
    labelled = [file for file in files if label_in_name(file.stem) and not is_text(file.name)]
    if not labelled or any(is_picture(file) for file in files if not label_in_name(file.stem)):
        return None
    log.info(
        "%s: labels are taken from the names of the files, such as %s.", path_text(data), path_text(labelled[0].name)
    )
    return Tree(Path(data), [ClassFolder("", "", Path(data))], [])


def _with_advice(data, error):
    """The same error, with the CSV that lies in the folder."""
    if "--path-col" not in str(error) or not tables_of(Path(data)):
        return error
    return DataError(f"{error} {table_advice(Path(data))}")


def _check_named(tree):
    """Refuse a class folder whose name has nothing that is seen."""
    for item in tree.folders:
        if not item.label:
            raise DataError(f"Class folder {ascii(str(item.folder))} has a name that cannot be seen. Rename it.")


def _check_no_storage(data, tree, named):
    names = sorted({item.label for item in tree.folders})
    known = {name.casefold() for name in named} | set(_GRADES[:2])
    if not known.issuperset(names) and _GRADES.startswith("".join(names)) and not labelling_tables(Path(data)):
        log.info("%s: the folders %s are taken for grades, and so for classes.", path_text(data), ", ".join(names))
        return
    if all(name.casefold() in known for name in names) or not all(map(is_storage, names)):
        return
    shown = listed(names[:4]) + (", ..." if len(names) > 4 else "")
    raise DataError(
        f"The folders in {tree.base} number or hold the images and are no classes: {shown}. {table_advice(Path(data))} "
        "If they are classes, give them names with --label-map."
    )


def _check_distinct(tree):
    """Refuse a class folder that is a link to another one."""
    known = {}
    for item in tree.folders:
        first = known.setdefault(os.path.realpath(item.folder), item)
        if first is not item:
            raise DataError(f"{first.folder} and {item.folder} are one folder: one is a link. Remove the link.")


def _row(file, item, root):
    split, inner = item.split, file.relative_to(item.folder).parts
    if not split:
        split = next(filter(None, map(exact_split, inner[:-1])), "")
    return LabelledFile(portable_path(file, root), item.label or label_in_name(file.stem), "", split)


def _unnameable(rows):
    bad = [ascii(row.file)[1:-1] for row in rows if not is_portable(row.file)]
    return [Skipped(path, "its name holds control characters or is not UTF-8; rename it") for path in bad]


def _masks(tree, listings):
    masks = [file for folder in tree.masks for file in mask_images(folder)]
    masks += [file for listing in listings for file in listing.masks]
    return masks


def _is_text(file):
    return is_text(file.name) and not looks_like_picture(file)


def _counted(files, what):
    """A list of one Skipped that counts the files; empty where there are none."""
    if not files:
        return []
    count = f"1 {what} is" if len(files) == 1 else f"{len(files)} {what}s are"
    return [Skipped(str(files[0].parent), f"{count} left out, such as {path_text(files[0].name)}")]


def _tell(data, ignored):
    if ignored:
        shown = [f"{_shown(item.path, Path(data).absolute())} ({item.reason})" for item in ignored[:_SHOWN]]
        more = f" and {len(ignored) - _SHOWN} more" if len(ignored) > _SHOWN else ""
        log.info("%s: not counted: %s%s", path_text(data), path_text(", ".join(shown)), more)


def _shown(path, root):
    """A path as it is told: relative to the root, and as text that can be printed."""
    text = portable_path(path, root)
    return text if is_portable(text) else ascii(text)[1:-1]


def check_classes_kept(folders, root, usable, skipped):
    """Raise DataError for a class folder none of whose files is a usable image.

    Args:
        folders: list of ClassFolder.
        root: absolute folder that paths count from.
        usable: list of LabelledFile that can be used.
        skipped: list of Skipped.
    """
    for item in folders:
        place = _shown(item.folder, root)
        prefix = "" if place == "." else f"{place}/"
        if any(row.file.startswith(prefix) for row in usable):
            continue
        lost = [entry for entry in skipped if entry.path.startswith(prefix)]
        what = _without_files(item, folders)
        if lost:
            what = f"{len(lost)} files, the first {lost[0].path}: {lost[0].reason}"
        remedy = "Convert its images to PNG or JPEG" if lost else "Put images into it"
        raise DataError(
            f"Class folder {path_text(item.folder)} holds no readable image ({what}). {remedy}, or take it out of the "
            "dataset."
        )


def _without_files(item, folders):
    """What is in a class folder without a file that is counted."""
    listing = class_files(item.folder, [other.folder for other in folders])
    if listing.masks:
        return f"only masks, such as {path_text(listing.masks[0].name)}"
    if listing.links:
        return f"only links, such as {path_text(os.path.basename(listing.links[0].path))}: {listing.links[0].reason}"
    return "only hidden and system files" if any(files for *_, files in os.walk(item.folder)) else "it is empty"
