"""Where something is known to lie in images: masks of phantoms, a folder of masks, or a CSV of boxes."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.data.csv_table import check_column, read_rows
from medxray.data.images.files import identify, looks_like_image
from medxray.data.images.thumbnails import read_thumbnail
from medxray.data.phantom.draw import masks_beside
from medxray.errors import ConfigError, DataError, ImageError
from medxray.explain.checks.by_name import Named, matched

log = logging.getLogger(__name__)
_COLUMNS = ("patientId", "x", "y", "width", "height", "Target")  # as in the RSNA Pneumonia Detection Challenge
_MARGIN = 2  # pixels of the input by which a mask and its image may differ in form
_FULL = 255


@dataclass(frozen=True)
class Regions:
    """What is known of a sample of images.

    Attributes:
        source: where it comes from, in words.
        of_image: list with a bool array (h,w), the size of the image's box, or None where nothing is known.
        missing: names of the images without a mask or row.
    """

    source: str
    of_image: list
    missing: tuple[str, ...]


def read_regions(run, sample, *, masks=None, boxes=None):
    """Find what is known of the images of a sample.

    Args:
        run: trained_run.Run, for the form in which images are read.
        sample: sample.CheckedImages.
        masks: folder of masks, one for each image, with the image's name and any ending, in the image's folders where
            names repeat; a pixel is inside from half of full scale on, or in a mask of 0 and 1 where it is 1. None:
            those of phantoms are found by themselves.
        boxes: CSV with the columns of RSNA's stage_2_train_labels.csv, boxes in pixels of the image file; `patientId`
            may have folders before the name. A box is one pixel of the input at least.

    Returns:
        Regions, or None where nothing is named and the images are no phantoms. A warning counts the images without.

    Raises:
        ConfigError: both are named, or the folder is none.
        DataError: it fits none of the images or two of them alike, or cannot be read.
    """
    if masks is not None and boxes is not None:
        raise ConfigError("--masks and --boxes both say where something lies. Give one of them.")
    if boxes is not None:
        found = Regions(str(boxes), *_boxes(sample, Path(boxes)))
    elif masks is not None:
        files = matched(sample.files, _named_files(Path(masks)), source=masks, kind="masks")
        found = Regions(str(masks), *_masks(run, sample, files))
    else:
        files = _masks_of_phantoms(sample.files)
        if files is None:
            return None
        found = Regions("masks of phantoms", *_masks(run, sample, files))
    if len(found.missing) == len(sample):
        raise DataError(
            f"{found.source} has nothing for the {len(sample)} images of the sample, such as {found.missing[0]}. Its "
            "names must be those of the images; an ending makes no difference."
        )
    if found.missing:
        log.warning("%d of %d images have no mask or box in %s.", len(found.missing), len(sample), found.source)
    return found


def _named_files(folder):
    """The images below a folder, list of Named."""
    if not folder.is_dir():
        raise ConfigError(f"--masks must be a folder. Received '{folder}'. Correct the path.")
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and looks_like_image(file)]
    names = [file.relative_to(folder) for file in files]
    return [Named(name.parent.parts, name.stem, file, str(name)) for name, file in zip(names, files, strict=True)]


def _masks_of_phantoms(images):
    """The mask, or None, of each image, beside the phantoms that it is of; None where none is a phantom."""
    folders = [masks_beside(image) for image in images]
    if not any(folders):
        return None
    mask_of = {}
    for folder in set(folders) - {None}:
        here = [image for image, one in zip(images, folders, strict=True) if one == folder]
        mask_of |= zip(here, matched(here, _named_files(folder), source=folder, kind="masks"), strict=True)
    return [mask_of.get(image) for image in images]


def _masks(run, sample, files):
    """(list of regions, names of the images without): masks are read as images are, so that both lie alike."""
    given = [file for file in files if file is not None]
    form, read = run.form._replace(channels=1), {}
    for batch in form.stream(given, 16):
        for file, pixels, box, reason in zip(batch.images, batch.pixels, batch.boxes, batch.reasons, strict=True):
            if reason:
                raise DataError(f"The mask {file} cannot be read: {reason}. Restore it or remove it.")
            read[file] = pixels[..., 0], box
    regions = [
        None if file is None else _region(file, *read[file], box) for file, box in zip(files, sample.boxes, strict=True)
    ]
    of_masks = [(file, region) for file, region in zip(files, regions, strict=True) if file is not None]
    dark = [file for file, region in of_masks if not region.any() and read[file][0].any()]
    if dark:
        log.warning(
            "%d of %d masks, such as %s, are not black but have no pixel of half of full scale (128 of 255) at the "
            "size of the input: nothing lies in them.",
            len(dark),
            len(of_masks),
            dark[0],
        )
    return regions, tuple(image.name for image, region in zip(sample.files, regions, strict=True) if region is None)


def _region(file, pixels, box, box_of_image):
    if max(abs(one - other) for one, other in zip(box, box_of_image, strict=True)) > _MARGIN:
        raise DataError(
            f"The mask {file} has another form than its image: {box[3]} x {box[2]} pixels of the input, where the "
            f"image has {box_of_image[3]} x {box_of_image[2]}. A mask must cover the whole image."
        )
    top, left, height, width = box_of_image
    inside = pixels[top : top + height, left : left + width].astype(int)
    return inside * 2 >= (1 if _is_of_labels(file, pixels) else _FULL)


def _is_of_labels(file, pixels):
    """Whether the values of a mask are 0 and 1 only: not in a JPEG, which does not keep such values."""
    if pixels.max() != 1:
        return False
    info = identify(file)
    return info.format != "JPEG" and read_thumbnail(file, max(info.width, info.height)).max() == 1


def _boxes(sample, path):
    """(list of regions, names of the images without a row)."""
    header, records = read_rows(path)
    for column in _COLUMNS:
        check_column(column, header, where=path.name)
    rows = {}
    for number, cells in records:
        rows.setdefault(cells["patientId"], []).append((f"{path.name} row {number}", cells))
    of_images = matched(sample.files, [_named_rows(*item) for item in rows.items()], source=path, kind="patientIds")
    regions = [
        None if found is None else _drawn(file, box, found)
        for file, box, found in zip(sample.files, sample.boxes, of_images, strict=True)
    ]
    return regions, tuple(file.name for file, found in zip(sample.files, of_images, strict=True) if found is None)


def _named_rows(patient, rows):
    *folders, stem = [part for part in patient.split("/") if part] or [""]
    return Named(tuple(folders), stem, rows, patient)


def _drawn(file, box, rows):
    """The boxes of an image in the size that it has in the model's input, bool (h,w)."""
    try:
        info = identify(file)
    except (ImageError, OSError) as error:
        raise DataError(f"The size of {file} is not known, so its boxes cannot be placed: {error}.") from error
    region = np.zeros(box[2:], bool)
    for where, cells in rows:
        if cells["Target"] not in ("0", "1"):
            raise DataError(f"Target must be 0 or 1. Received '{cells['Target']}' ({where}). Fix the row.")
        if cells["Target"] == "1":
            sides = _sides(cells, info, where)
            scale = box[3] / info.width, box[2] / info.height
            left, right = (round(side * scale[0]) for side in sides[:2])
            top, bottom = (round(side * scale[1]) for side in sides[2:])
            left, top = min(left, box[3] - 1), min(top, box[2] - 1)  # one at the edge has a pixel too
            region[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return region


def _sides(cells, info, where):
    """(left, right, top, bottom) of a box in pixels of the file; DataError where it is none, or beside the image."""
    x, y, width, height = (_number(cells, name, where) for name in ("x", "y", "width", "height"))
    inside = 0 <= x < info.width and 0 <= y < info.height
    if not (inside and width > 0 and height > 0):
        raise DataError(
            f"A box must begin in its image of {info.width} x {info.height} pixels and have a size. Received x={x:g}, "
            f"y={y:g}, width={width:g}, height={height:g} ({where}). Are these pixels of the image file?"
        )
    return x, min(x + width, info.width), y, min(y + height, info.height)


def _number(cells, name, where):
    try:
        value = float(cells[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"A box needs numbers for x, y, width and height. Received '{cells[name]}' ({where}, column {name}). Fix "
            "the row."
        )
    return value
