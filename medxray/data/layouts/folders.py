"""Where the classes and splits of a folder tree are. No TensorFlow."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from medxray.data.layouts import kermany
from medxray.data.layouts.names import clean_label, is_healthy, is_storage, letters
from medxray.data.layouts.pictures import is_packed, is_picture
from medxray.data.layouts.split_names import exact_split, split_among_words
from medxray.data.layouts.walk import (
    doubled_links,
    is_file,
    is_folder,
    is_mask_folder,
    meant_as_images,
    plain_entries,
    stray,
)
from medxray.data.manifest import SPLITS, Skipped
from medxray.data.sample import is_sample
from medxray.data.tasks import TASK_CLASSES
from medxray.errors import DataError

_DEPTH = 6
_KNOWN_CLASSES = {name.casefold() for names in TASK_CLASSES.values() for name in names}
_NO_CLASSES = "a split folder with images, but without class folders"
_SAMPLE = "the sample of medxray, which is read only where --data names it"


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
        folders: ClassFolder of each class and split; a folder without any file is one too, and one that holds only what
            was meant as images, such as links that lead nowhere.
        ignored: what lies beside them and is no part of the dataset.
        masks: folders of masks that lie beside them.
    """

    base: Path
    folders: list[ClassFolder]
    ignored: list[Skipped]
    masks: list[Path] = field(default_factory=list)


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
    datasets = [child for child in _others(data) if _contains_dataset(child, _DEPTH)]
    if len(datasets) > 1:
        names = [str(child) for child in datasets[:5]]
        more = ["..."] if len(datasets) > 5 else []
        raise DataError(f"{data} holds several datasets: {', '.join(names + more)}. Name one of them.")
    if datasets:
        tree = find_tree(datasets[0])
        beside = _beside(data, datasets, "not part of the dataset")
        return Tree(tree.base, tree.folders, tree.ignored + beside, tree.masks + _mask_folders(data))
    return _plain_classes(data)


def _plain_classes(data):
    """The tree at `data` when no folder name below says what is healthy or a split."""
    with_images = [child for child in _others(data) if _has_images(child, _DEPTH)]
    empty = [child for child in _folders(data) if _is_empty(child)]
    if len(with_images) == 1 and not empty and not _holds_images(with_images[0]):
        tree = find_tree(with_images[0])
        beside = _beside(data, with_images, "not part of the dataset")
        return Tree(tree.base, tree.folders, tree.ignored + beside, tree.masks + _mask_folders(data))
    packed = [entry.name for entry in plain_entries(data) if is_packed(entry.name)]
    if packed and not with_images and all(map(is_packed, _direct_images(data))):
        raise DataError(f"{data} holds no images but {packed[0]}. Unpack it, or write its images as PNG files.")
    splits = [child.name for child in with_images if exact_split(child.name)]
    if splits or (not with_images and _holds_images(data)):
        where = f"{data / splits[0]}" if splits else str(data)
        raise DataError(
            f"Expected one folder per class. {where} holds images but no class folders. "
            "Sort the images into class folders, or pass a CSV with --path-col and --label-col."
        )
    if not with_images and any(map(meant_as_images, _folders(data))):
        return _tree_at(data)  # its class folders are told one by one
    if not with_images:
        masks = f" It holds masks only ({_mask_folders(data)[0].name})." if _mask_folders(data) else ""
        deep = f" (searched {_DEPTH} folders deep)" if any(map(_folders, _folders(data))) else ""
        raise DataError(f"No images found in {data}{deep}.{masks}{_sample_hint(data)} {remedy(data)}")
    return _tree_at(data)


def _is_dataset(folder):
    """True when the folder has split folders with classes in them, or a class folder named as healthy."""
    children = _folders(folder)
    return bool(_splits(children)) or any(is_healthy(child.name) and _has_images(child, _DEPTH) for child in children)


def _splits(children):
    """{folder: split} of the split folders among some folders; longer names count where several lie together."""
    for meaning, fewest in ((exact_split, 1), (split_among_words, 2)):
        found = {child: meaning(child.name) for child in children if meaning(child.name) and _holds_classes(child)}
        if len(set(found.values())) >= fewest:
            return found
    return {}


def _holds_classes(folder):
    children = _folders(folder)
    return any(_has_images(child, _DEPTH) for child in children) or any(map(meant_as_images, children))


def _contains_dataset(folder, depth):
    return _is_dataset(folder) or (depth > 0 and any(_contains_dataset(child, depth - 1) for child in _others(folder)))


def _tree_at(base):
    splits = _splits(_folders(base))
    if splits:
        return _tree_of_splits(base, splits)
    classes = _class_folders(base, split="")
    kept = [item.folder for item in classes]
    ignored = _beside(base, kept, "not a class folder; not counted") + _texts(base, kept)
    return Tree(base, classes, ignored, _mask_folders(base))


def _tree_of_splits(base, splits):
    found, masks = [], _mask_folders(base)
    ignored = _beside(base, splits, "beside the split folders; not counted")
    for split, name in splits.items():
        place = _unwrapped(split)
        classes = _class_folders(place, split=name)
        kept = [item.folder for item in classes]
        found += classes
        masks += _mask_folders(split) + (_mask_folders(place) if place != split else [])
        ignored += _beside(place, kept, "not a class folder; not counted") + _texts(place, kept)
    found.sort(key=lambda item: (SPLITS.index(item.split), item.label))
    ignored += [
        Skipped(str(child), "a split folder without images")
        for child in _folders(base)
        if exact_split(child.name) and child not in splits and not _has_images(child, _DEPTH)
    ]
    return Tree(base, found, ignored, masks)


def _unwrapped(split):
    """The folder that holds the classes of a split: itself, or the only one in it, such as `images`."""
    inner = _folders(split)
    with_images = [child for child in inner if _has_images(child, _DEPTH)]
    if len(with_images) != 1 or any(map(_is_empty, inner)) or _is_class_name(with_images[0]):
        return split
    only = with_images[0]
    wraps = _is_dataset(only) or (is_storage(only.name) and not _holds_images(only))
    return _unwrapped(only) if wraps else split


def _class_folders(folder, *, split):
    return [
        ClassFolder(split, clean_label(child.name), child)
        for child in _folders(folder)
        if _is_empty(child)
        or (_has_images(child, _DEPTH) and not _is_other_dataset(child))
        or (not _has_images(child, _DEPTH) and meant_as_images(child))  # its images are missing
    ]


def _is_other_dataset(folder):
    """True for a dataset in another one, such as a copy; False for a class with its splits or its own name in it."""
    if _is_class_name(folder) or not _is_dataset(folder):
        return False
    places = [folder, *(child for child in _folders(folder) if exact_split(child.name))]
    inner = [child.name for place in places for child in _folders(place) if _has_images(child, _DEPTH)]
    labels = {letters(name) for name in inner if not (is_storage(name) and not name.isdecimal())}
    return len(labels) > 1 and letters(folder.name) not in labels


def _is_class_name(folder):
    return is_healthy(folder.name) or clean_label(folder.name).casefold() in _KNOWN_CLASSES


def _beside(folder, used, reason):
    """What else has images in `folder`, images in no folder and links that are not followed, as Skipped."""
    others = [child for child in _folders(folder) if child not in used and _has_images(child, _DEPTH)]
    links = [Skipped(path, f"a link to {target}; not counted twice") for path, target in _second_links(folder)]
    return [Skipped(str(child), _why_beside(child, reason)) for child in others] + links + stray(folder)


def _why_beside(child, reason):
    if is_sample(child):
        return _SAMPLE
    return _NO_CLASSES if exact_split(child.name) and _holds_images(child) else reason


def _texts(folder, used):
    """The folders in `folder` that hold files but no images, as Skipped."""
    others = [child for child in _folders(folder) if child not in used and not _has_images(child, _DEPTH)]
    return [Skipped(str(child), "it holds no images") for child in others]


def _folders(folder):
    """Child folders that can be part of a dataset: no masks, and of a folder and links to it only one."""
    entries = [entry for entry in plain_entries(folder) if is_folder(entry)]
    second = {path for path, _ in doubled_links(folder, entries)}
    return [Path(e.path) for e in entries if not is_mask_folder(e.path) and e.path not in second]


def _second_links(folder):
    """(path, target) of the links to folders that lead back, or to a folder that lies beside them."""
    return doubled_links(folder, [entry for entry in plain_entries(folder) if is_folder(entry)])


def _others(folder):
    """Child folders that can be part of a dataset, without the sample of medxray, which is read where it is named."""
    return [child for child in _folders(folder) if not is_sample(child)]


def _sample_hint(folder):
    found = [child for child in _folders(folder) if is_sample(child)]
    return f" The sample of medxray is left out; to use it, pass --data {found[0]}." if found else ""


def _mask_folders(folder):
    return [Path(entry.path) for entry in plain_entries(folder) if is_folder(entry) and is_mask_folder(entry.path)]


def _holds_images(folder):
    return any(is_file(entry) and is_picture(entry.path) for entry in plain_entries(folder))


def _direct_images(folder):
    """Names of the pictures of a folder."""
    return [entry.name for entry in plain_entries(folder) if is_file(entry) and is_picture(entry.path)]


def _has_images(folder, depth):
    return _holds_images(folder) or (depth > 0 and any(_has_images(child, depth - 1) for child in _folders(folder)))


def _is_empty(folder):
    """True for a folder without any file, in its subfolders either."""
    entries = plain_entries(folder)
    return all(is_folder(entry) and not entry.is_symlink() and _is_empty(entry.path) for entry in entries)
