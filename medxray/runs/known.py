"""Which images of other data a run knows under another file: patients and pictures of its training. No TensorFlow."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.data.audit.duplicates import NEAR_BITS, NEAR_LIMIT, difference_hashes
from medxray.data.csv_table import read_rows
from medxray.data.images.grey_levels import LUMA
from medxray.data.images.thumbnails import read_thumbnail
from medxray.errors import DataError, ImageError
from medxray.runs.adaptation_sample import read_sample
from medxray.system import progress

log = logging.getLogger(__name__)
LEARNED = ("train", "val")
_THREADS = 8
_SIDE = 128  # pixels, longer side of the pictures that are compared
_WAY_OUT = "their figures may be too good; --exclude-known leaves them out"


@dataclass(frozen=True, eq=False)
class Known:
    """What of other data the run knows, beside byte-identical files.

    Attributes:
        patients: bool array (n,), images whose patient id is that of a training or validation image.
        pictures: bool array (n,), images that look like a training or validation image.
        note: why not all pictures were compared, or "".
        excluded: whether such images are left out.
    """

    patients: np.ndarray
    pictures: np.ndarray
    note: str = ""
    excluded: bool = False

    def any(self):
        """Bool array (n,): images known in one way or the other."""
        return self.patients | self.pictures

    def notes(self):
        """Remarks for a report, list of str."""
        after = "they are left out" if self.excluded else _WAY_OUT
        found = (
            (self.patients, "have the patient id of a training or validation image"),
            (self.pictures, "look like a training or validation image, as a re-encoded or resized copy does"),
        )
        told = [f"{mask.sum()} of {len(mask)} images {what}: {after}." for mask, what in found if mask.any()]
        return told + ([self.note] if self.note else [])

    def to_dict(self):
        """Counts as plain values for JSON."""
        return {
            "same_patient": int(self.patients.sum()),
            "look_alike": int(self.pictures.sum()),
            "excluded": self.excluded,
            "note": self.note,
        }


def known_images(run, part, *, exclude=False):
    """Find the images of other data that show what the run has learned or chosen its threshold from.

    Args:
        run: trained_run.Run.
        part: Manifest of other data, without byte-identical files.
        exclude: leave such images out.

    Returns:
        (Manifest of what is used, Known over the images of `part`); a warning tells what was found.

    Raises:
        DataError: none is left.
    """
    known = find_known(run, part, excluded=exclude)
    for text in known.notes():
        log.warning("%s", text)
    if not exclude:
        return part, known
    if known.any().all():
        raise DataError(f"The run knows a patient or picture of every image wanted of {part.root}: none is left.")
    return part.where(~known.any()), known


def find_known(run, part, *, excluded=False):
    """What `known_images` finds, as Known over the images of `part`, without a word."""
    paths, ids = _learned_table(run)
    patients = part.table["patient_id"].isin(set(ids) - {""}).to_numpy(bool)
    pictures, note = _look_alikes([Path(run.record["data"]["root"]) / path for path in paths], part.files())
    return Known(patients, pictures, note, excluded)


def _learned_table(run):
    """Path and patient of each image that was learned, or that the decision was adapted to; files may be gone."""
    _, records = read_rows(run.directory.split_file, as_written=("path",))
    learned = [cells for _, cells in records if cells["split"] in LEARNED]
    sample = read_sample(run.directory)
    paths = [cells["path"] for cells in learned] + sample["path"].tolist()
    return paths, [cells["patient_id"] for cells in learned] + sample["patient_id"].tolist()


def _look_alikes(learned, files):
    """(bool array over `files`, note): which of them look like one of the learned files."""
    found = np.zeros(len(files), bool)
    if max(len(learned), len(files)) > NEAR_LIMIT:
        return found, f"Look-alikes of training images were not searched: there are more than {NEAR_LIMIT:,} images."
    _, own = _hashes(learned)
    read, others = _hashes(files)
    for row, one in zip(read, others, strict=True):
        distances = np.bitwise_count(own ^ one).sum(axis=1, dtype=np.int64)
        found[row] = bool((distances <= NEAR_BITS).any())
    gone = len(learned) - len(own)
    note = f"{gone} of {len(learned)} training images cannot be read, so look-alikes of them are not found."
    return found, note if gone else ""


def _hashes(files):
    """(rows of the files that can be read, their difference hashes as uint64 array (n, 4))."""
    with ThreadPoolExecutor(_THREADS) as pool:
        pictures = list(progress.each(pool.map(_grey, files), len(files), "Search for look-alikes"))
    rows = [row for row, picture in enumerate(pictures) if picture is not None]
    return rows, difference_hashes([pictures[row] for row in rows])


def _grey(file):
    """uint8 array (h, w), or None where the file cannot be read."""
    try:
        picture = read_thumbnail(file, _SIDE)
    except ImageError:
        return None
    return picture if picture.ndim == 2 else np.rint(picture @ np.array(LUMA)).astype(np.uint8)
