"""What is in a dataset and what is wrong with it. No TensorFlow at import: decoding loads it."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from medxray.data.audit.duplicates import Repeats, identical, nearly_identical
from medxray.data.audit.shortcuts import SizeProbe, probe_size
from medxray.data.images import files as images
from medxray.data.images.orientation import UPRIGHT
from medxray.data.manifest import Manifest, Skipped
from medxray.data.split_checks import leaks
from medxray.errors import DataError
from medxray.system import progress

log = logging.getLogger(__name__)
_THUMBNAIL = (64, 64)
_THREADS = 8


@dataclass(frozen=True, eq=False)
class Audit:
    """The findings.

    Attributes:
        manifest: the readable images; what is not readable is in its `skipped`.
        infos: ImageInfo of each image, in row order.
        duplicates: byte-identical files.
        near_duplicates: pictures that look alike.
        shared_patients: table of `splits.leaks`.
        size_probe: how well the size predicts the label.
    """

    manifest: Manifest
    infos: tuple[images.ImageInfo, ...]
    duplicates: Repeats
    near_duplicates: Repeats
    shared_patients: pd.DataFrame
    size_probe: SizeProbe

    def sizes(self):
        """{"width", "height", "aspect"} -> {"min", "median", "max"}; pixels, and width / height."""
        width = np.array([info.width for info in self.infos], float)
        height = np.array([info.height for info in self.infos], float)
        values = {"width": width, "height": height, "aspect": width / height}
        return {
            name: {"min": float(v.min()), "median": float(np.median(v)), "max": float(v.max())}
            for name, v in values.items()
        }

    def formats(self):
        """Number of images by kind, such as "JPEG, 8 bits, 3 channels", most frequent first."""
        counts = Counter(map(_kind, self.infos))
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def to_dict(self):
        """All findings as plain values for JSON; `docs/data.md` explains the keys."""
        manifest, patients = self.manifest, self.manifest.patients()
        return {
            "root": str(manifest.root),
            "task": manifest.task,
            "classes": list(manifest.classes),
            "positive": manifest.positive,
            "images": len(manifest),
            "patients": len(np.unique(patients)),
            "patient_ids_known": manifest.grouped,
            "images_without_patient_id": int((manifest.table["patient_id"] == "").sum()),
            "counts": manifest.counts().to_dict("records"),
            "subtypes": {name: int(n) for name, n in manifest.table["subtype"].value_counts().items() if name},
            "formats": self.formats(),
            "orientation_tags": sum(info.orientation != UPRIGHT for info in self.infos),
            "sizes": self.sizes(),
            "skipped": [asdict(item) for item in manifest.skipped],
            "ignored": [asdict(item) for item in manifest.ignored],
            "duplicates": asdict(self.duplicates),
            "near_duplicates": asdict(self.near_duplicates),
            "patients_in_two_splits": self.shared_patients.to_dict("records"),
            "size_auroc": {
                "value": self.size_probe.auroc,
                "note": self.size_probe.note,
                "warning": self.size_probe.warning,
            },
        }


def audit(manifest, *, strict=False):
    """Decode every image, and look for duplicates, shared patients and a size shortcut.

    Args:
        manifest: Manifest.
        strict: stop at the first unreadable file.

    Returns:
        Audit of the readable images.

    Raises:
        DataError: no image is readable, or with `strict` one is not.
    """
    if strict:
        _stop_at(manifest.skipped)
    thumbnails, failures = _decode(manifest.files())
    bad = [Skipped(manifest.table["path"].iloc[row], reason) for row, reason in sorted(failures.items())]
    if strict:
        _stop_at(bad)
    readable = manifest.without(bad)
    if not len(readable):
        raise DataError(f"None of the {len(manifest)} images can be read. The first: {bad[0].path}: {bad[0].reason}.")
    kept = np.array([row not in failures for row in range(len(manifest))])
    with ThreadPoolExecutor(_THREADS) as pool:
        infos = tuple(progress.each(pool.map(images.identify, readable.files()), len(readable), "Headers"))
    sizes = [(info.width, info.height) for info in infos]
    return Audit(
        manifest=readable,
        infos=infos,
        duplicates=identical(readable),
        near_duplicates=nearly_identical(readable, thumbnails[kept]),
        shared_patients=leaks(readable),
        size_probe=probe_size(sizes, readable.labels(), readable.patients()),
    )


def _kind(info):
    channels = "1 channel" if info.channels == 1 else f"{info.channels} channels"
    return f"{info.format}, {info.bits} bits, {channels}"


def _stop_at(skipped):
    if skipped:
        raise DataError(
            f"{skipped[0].path} cannot be read: {skipped[0].reason}. Repair or remove it, or leave out --strict."
        )


def _decode(files):
    """(uint8 thumbnails (n, h, w), dict row -> reason): each file is decoded as training would do it."""
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.data.pipeline import decode_files

    pixels, failures = decode_files(files, size=_THUMBNAIL, channels=1, resize="stretch")
    return pixels[..., 0], failures
