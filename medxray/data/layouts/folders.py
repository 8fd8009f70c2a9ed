"""Where the classes and splits of a folder tree are. No TensorFlow."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from medxray.data.images.files import looks_like_image
from medxray.data.layouts import kermany
from medxray.data.layouts.names import is_healthy
from medxray.data.manifest import SPLITS, Skipped
from medxray.errors import DataError

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
_JUNK = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "lost+found"}
_MASKS = {"masks", "mask"}
_DEPTH = 6


class ClassFolder(NamedTuple):
    """A folder of images of one class; `split` is "train", "val", "test" or ""."""

    split: str
    label: str
    folder: Path


@dataclass(frozen=True)
class Tree:
    """A dataset found in a folder.

    Attributes:
        base: folder that holds the split folders, or the class folders where there are no splits.
        folders: ClassFolder of each class and split.
        ignored: what lies beside them and is no part of the dataset.
    """

    base: Path
    folders: list[ClassFolder]
    ignored: list[Skipped]


def remedy(data):
    """The sentence that says how to come by a dataset in the folder `data`."""
    return (
        f"Unzip the Kaggle set {kermany.DATASET} so that {Path(data) / 'chest_xray' / 'train' / 'NORMAL'} exists, "
        f"name another folder or CSV, or make synthetic images with: medxray data phantom {data}"
    )


def find_tree(data):
    """Find the one dataset in a folder, through wrapping folders and beside nested copies.

    Args:
        data: existing folder.

    Returns:
        Tree with at least one class folder.

    Raises:
        DataError: no images, no class folders, or several datasets.
    """
    data = Path(data)
    if _is_dataset(data):
        return _tree_at(data)
    datasets = [child for child in _folders(data) if _contains_dataset(child, _DEPTH)]
    if len(datasets) > 1:
        names = [str(child) for child in datasets[:5]]
        more = ["..."] if len(datasets) > 5 else []
        raise DataError(f"{data} holds several datasets: {', '.join(names + more)}. Name one of them.")
    if datasets:
        tree = find_tree(datasets[0])
        return Tree(tree.base, tree.folders, tree.ignored + _beside(data, datasets, "not part of the dataset"))
    return _plain_classes(data)


def _plain_classes(data):
    """The tree at `data` when no folder name below says what is healthy or a split."""
    with_images = [child for child in _folders(data) if _has_images(child, _DEPTH)]
    if len(with_images) == 1 and not _direct_images(with_images[0]):
        return find_tree(with_images[0])
    splits = [child.name for child in with_images if child.name.casefold() in SPLIT_NAMES]
    if splits or (not with_images and _direct_images(data)):
        where = f"{data / splits[0]}" if splits else str(data)
        raise DataError(
            f"Expected one folder per class. {where} holds images but no class folders. "
            "Sort the images into class folders, or pass a CSV with --path-col and --label-col."
        )
    if not with_images:
        raise DataError(f"No images found in {data}. {remedy(data)}")
    return _tree_at(data)


def _is_dataset(folder):
    """True when the folder has split folders with classes in them, or a class folder named as healthy."""
    children = _folders(folder)
    return any(_is_split(child) for child in children) or any(
        is_healthy(child.name) and _has_images(child, _DEPTH) for child in children
    )


def _is_split(folder):
    return folder.name.casefold() in SPLIT_NAMES and any(_has_images(child, _DEPTH) for child in _folders(folder))


def _contains_dataset(folder, depth):
    return _is_dataset(folder) or (depth > 0 and any(_contains_dataset(child, depth - 1) for child in _folders(folder)))


def _tree_at(base):
    splits = [child for child in _folders(base) if _is_split(child)]
    if splits:
        found = [item for split in splits for item in _class_folders(split, split=SPLIT_NAMES[split.name.casefold()])]
        found.sort(key=lambda item: (SPLITS.index(item.split), item.label))
        return Tree(base, found, _beside(base, splits, "beside the split folders; not counted"))
    classes = _class_folders(base, split="")
    kept = [item.folder for item in classes]
    return Tree(base, classes, _beside(base, kept, "not a class folder; not counted"))


def _class_folders(folder, *, split):
    return [
        ClassFolder(split, child.name.strip(), child)
        for child in _folders(folder)
        if _has_images(child, _DEPTH) and not _is_dataset(child)
    ]


def _beside(folder, used, reason):
    """What else has images in `folder`, as Skipped."""
    others = [child for child in _folders(folder) if child not in used and _has_images(child, _DEPTH)]
    return [Skipped(str(child), reason) for child in others]


def class_files(folder):
    """Regular and linked files below a class folder, sorted, without system files.

    Returns:
        list of pathlib.Path, and the number of system files (.DS_Store, Thumbs.db, ...) passed over.
    """
    files, junk, seen = [], 0, set()
    for current, names, found in os.walk(folder, followlinks=True):
        status = os.stat(current)
        place = status.st_dev, status.st_ino
        if place in seen:  # a link back: os.walk looks into no folder of an emptied list
            names.clear()
            continue
        seen.add(place)
        names[:] = sorted(name for name in names if not _is_junk(name) and name.casefold() not in _MASKS)
        usable = [name for name in found if not _is_junk(name)]
        junk += len(found) - len(usable)
        files += [Path(current, name) for name in usable]
    return sorted(files), junk


def _is_junk(name):
    return name.startswith(".") or name.casefold() in _JUNK


def _scan(folder):
    """Entries (list of os.DirEntry) of a folder without system files, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not _is_junk(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        reason = os.strerror(error.errno)
        raise DataError(f"Could not read folder {folder}: {reason}. Check its permissions.") from error


def _folders(folder):
    """Child folders that can be part of a dataset."""
    return [Path(e.path) for e in _scan(folder) if e.is_dir() and e.name.casefold() not in _MASKS]


def _direct_images(folder):
    return any(e.is_file() and looks_like_image(e.path) for e in _scan(folder))


def _has_images(folder, depth):
    return _direct_images(folder) or (depth > 0 and any(_has_images(child, depth - 1) for child in _folders(folder)))
