"""Texts given on the command line -> the image files they mean. No TensorFlow."""

import glob
import logging
import os
from pathlib import Path

from medxray.data.images.array_file import SPLITS
from medxray.data.images.array_images import array_names, is_array_file
from medxray.data.images.files import ImageBytes, path_text
from medxray.data.layouts.pictures import looks_like_picture
from medxray.data.layouts.walk import class_files, is_junk
from medxray.data.left_out import report_left_out
from medxray.errors import DataError, ImageError

__all__ = ["expand_inputs", "path_of", "path_text"]
log = logging.getLogger(__name__)


def expand_inputs(paths):
    """List the files that some arguments mean, each once, in the order given.

    Args:
        paths: iterable of files, folders (searched in depth for files that look like images), glob patterns, MedMNIST
            files or splits of them (`set.npz`, `set.npz/test`), ImageBytes, and bytes, which become
            ImageBytes named "image-1" and so on by their place.

    Returns:
        list of pathlib.Path and ImageBytes. A file that does not exist stays in the list, and beside other paths a
        folder without images and a pattern without a match too; reading them will say so.

    Raises:
        DataError: all that was given are folders without images and patterns without a match, or nothing was given,
            or an empty name.
    """
    given = [_in_memory_or_text(path, place) for place, path in enumerate(paths, 1)]
    if "" in given:
        raise DataError("An empty name was given, perhaps from a variable that is not set. Name files or folders.")
    found, empty = {}, {}
    for path in given:
        try:
            found |= dict.fromkeys([path] if isinstance(path, ImageBytes) else _expand(path))
        except DataError as error:
            found[Path(path)] = None
            empty[Path(path)] = error
    if not found:
        raise DataError("No image was given. Name files, folders or patterns such as 'images/*.png'.")
    if len(empty) == len(found):
        raise next(iter(empty.values()))
    return list(found)


def _in_memory_or_text(image, place):
    if isinstance(image, bytes | bytearray | memoryview):
        return ImageBytes(f"image-{place}", bytes(image))
    return image if isinstance(image, ImageBytes) else str(image)


def path_of(image):
    """The path of an image; for ImageBytes its name as a path without a folder."""
    return Path(Path(image.name).name or "image") if isinstance(image, ImageBytes) else image


def _expand(text):
    path = Path(text)
    if os.path.isdir(path):
        return _images_below(path)
    if is_array_file(path) or (path.name in SPLITS and is_array_file(path.parent)):
        return _array_images(path)
    if not os.path.exists(path) and glob.has_magic(text):
        files = sorted(Path(match) for match in _matches(path) if os.path.isfile(match))
        if not files:
            raise DataError(f"The pattern {text} matches no file.")
        return files
    return [path]


def _matches(pattern):
    """What a pattern (pathlib.Path) matches. `**` goes into no links, which may lead back."""
    parts = pattern.parts
    if "**" not in parts:
        return glob.glob(str(pattern))
    start = parts.index("**")
    below = str(Path(*parts[start:], *(["*"] if parts[-1] == "**" else [])))
    bases = [Path(base) for base in (glob.glob(str(Path(*parts[:start]))) if start else ["."])]
    found = [(base, match) for base in bases for match in base.glob(below)]
    return [match for base, match in found if not any(map(is_junk, match.relative_to(base).parts))]


def _array_images(path):
    """The images of a MedMNIST file (`set.npz`), or of one split of it (`set.npz/test`)."""
    file, split = (path, None) if is_array_file(path) else (path.parent, path.name)
    try:
        return [file / name for name in array_names(file, split)]
    except ImageError as error:
        raise DataError(f"{path_text(file)}: {error}. Name images, or a MedMNIST file.") from error


def _images_below(folder):
    """The files below a folder that look like images; one line says how many others there are."""
    listing = class_files(folder)
    alike = [looks_like_picture(path) for path in listing.files]
    files = [path for path, image in zip(listing.files, alike, strict=True) if image]
    others = [path for path, image in zip(listing.files, alike, strict=True) if not image]
    skipped = [*listing.unread, *listing.links]
    report_left_out(skipped, files=len(listing.files) + len(skipped))
    for found, what in ((others, "that are no images"), (listing.masks, "that are masks")):
        if found:
            log.info(
                "%s: %d files %s are passed over, such as %s.",
                path_text(folder),
                len(found),
                what,
                path_text(found[0].name),
            )
    if not files:
        kinds = "PNG, JPEG, BMP, TIFF, DICOM, WebP, GIF, JPEG 2000 or AVIF"
        raise DataError(f"The folder {path_text(folder)} holds no image ({kinds}).")
    return files
