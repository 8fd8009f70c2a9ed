"""Where something is known to lie in images: masks of phantoms, a folder of masks, or a CSV of boxes."""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.data.csv_table import check_column, read_rows
from medxray.data.images.files import identify, looks_like_image
from medxray.data.phantom.draw import masks_beside
from medxray.errors import ConfigError, DataError, ImageError

log = logging.getLogger(__name__)
_COLUMNS = ("patientId", "x", "y", "width", "height", "Target")  # as in the RSNA Pneumonia Detection Challenge
_MARGIN = 2  # pixels of the input by which a mask and its image may differ in form


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
        masks: folder of masks, one for each image, with the image's name and any ending; bright is inside. None: those
            of phantoms are found by themselves.
        boxes: CSV with the columns of RSNA's stage_2_train_labels.csv, boxes in pixels of the image file.

    Returns:
        Regions, or None where nothing is named and the images are no phantoms. A warning counts the images without.

    Raises:
        ConfigError: both are named, or the folder is none.
        DataError: it fits none of the images, or cannot be read.
    """
    if masks is not None and boxes is not None:
        raise ConfigError("--masks and --boxes both say where something lies. Give one of them.")
    if boxes is not None:
        found = Regions(str(boxes), *_boxes(sample, Path(boxes)))
    elif masks is not None:
        found = Regions(str(masks), *_masks(run, sample, _files_by_stem(Path(masks)).get))
    else:
        folders = {folder for folder in map(masks_beside, sample.files) if folder is not None}
        if not folders:
            return None
        of_phantoms = {file.stem: file for folder in folders for file in folder.iterdir()}
        found = Regions("masks of phantoms", *_masks(run, sample, of_phantoms.get))
    if len(found.missing) == len(sample):
        raise DataError(
            f"{found.source} has nothing for the {len(sample)} images of the sample, such as {found.missing[0]}. Its "
            "names must be those of the images; an ending makes no difference."
        )
    if found.missing:
        log.warning("%d of %d images have no mask or box in %s.", len(found.missing), len(sample), found.source)
    return found


def _files_by_stem(folder):
    if not folder.is_dir():
        raise ConfigError(f"--masks must be a folder. Received '{folder}'. Correct the path.")
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and looks_like_image(file)]
    twice = [stem for stem, count in Counter(file.stem for file in files).items() if count > 1]
    if twice:
        raise DataError(f"{folder} has several masks named {twice[0]}. Keep one of them, or name the folder inside it.")
    return {file.stem: file for file in files}


def _masks(run, sample, mask_of):
    """(list of regions, names of the images without): masks are read as images are, so that both lie alike."""
    files = [mask_of(file.stem) for file in sample.files]
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
    return regions, tuple(image.name for image, region in zip(sample.files, regions, strict=True) if region is None)


def _region(file, pixels, box, box_of_image):
    if max(abs(one - other) for one, other in zip(box, box_of_image, strict=True)) > _MARGIN:
        raise DataError(
            f"The mask {file} has another form than its image: {box[3]} x {box[2]} pixels of the input, where the "
            f"image has {box_of_image[3]} x {box_of_image[2]}. A mask must cover the whole image."
        )
    top, left, height, width = box_of_image
    inside = pixels[top : top + height, left : left + width].astype(int)
    return inside * 2 >= max(int(pixels.max()), 1)


def _boxes(sample, path):
    """(list of regions, names of the images without a row)."""
    header, records = read_rows(path)
    for column in _COLUMNS:
        check_column(column, header, where=path.name)
    rows = {}
    for number, cells in records:
        rows.setdefault(cells["patientId"], []).append((f"{path.name} row {number}", cells))
    regions, missing = [], []
    for file, box in zip(sample.files, sample.boxes, strict=True):
        found = rows.get(file.stem)
        regions.append(None if found is None else _drawn(file, box, found))
        missing += [file.name] if found is None else []
    return regions, tuple(missing)


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
            region[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return region


def _sides(cells, info, where):
    """(left, right, top, bottom) of a box in pixels of the file; DataError where it is none, or beside the image."""
    try:
        x, y, width, height = (float(cells[name]) for name in ("x", "y", "width", "height"))
    except ValueError as error:
        raise DataError(f"A box needs numbers for x, y, width and height. Received {error} ({where}).") from error
    inside = 0 <= x < info.width and 0 <= y < info.height
    if not (inside and width > 0 and height > 0):
        raise DataError(
            f"A box must begin in its image of {info.width} x {info.height} pixels and have a size. Received x={x:g}, "
            f"y={y:g}, width={width:g}, height={height:g} ({where}). Are these pixels of the image file?"
        )
    return x, min(x + width, info.width), y, min(y + height, info.height)
