"""The images of a run: what it is fitted on, and the test images, which may be read after the fit."""

import dataclasses
import logging

import numpy as np

from medxray.data.left_out import report_left_out
from medxray.data.manifest import SPLITS, Manifest, Skipped
from medxray.errors import DataError
from medxray.evaluation.pictures import Pictures, predictions_of
from medxray.training.dataset import check_enough, decode_splits
from medxray.training.image_set import ImageSet

log = logging.getLogger(__name__)
TEST = "test"
FITTED = tuple(split for split in SPLITS if split != TEST)  # the splits that a fit looks at


@dataclasses.dataclass(frozen=True, eq=False)
class RunData:
    """The images of a run.

    Attributes:
        manifest: Manifest of all its images. Unreadable files are left out, those of the test split once it is read.
        fitted: ImageSet of training and validation images, with the rows `train`, `val` and dataset.SAMPLE.
        test: ImageSet of the test images with the rows `test`; None as long as they are not read.
    """

    manifest: Manifest
    fitted: ImageSet
    test: ImageSet | None

    def images_with(self, name):
        """The ImageSet that has the rows `name`."""
        return self.test if name == TEST else self.fitted

    def pictures(self, name):
        """The evaluation.pictures.Pictures of the rows `name`."""
        images = self.images_with(name)
        return Pictures(images.source, images.rows[name])

    def predictions(self, name, logits, *, split):
        """The metrics.predictions.Predictions of the rows `name`.

        Args:
            name: of the rows.
            logits: float array (n,K) in their order.
            split: name of the split in reports.
        """
        splits = (TEST,) if name == TEST else FITTED
        part = self.manifest.where(self.manifest.table["split"].isin(splits))
        chosen = np.zeros(len(part), bool)
        chosen[self.images_with(name).rows[name]] = True
        return predictions_of(part.where(chosen), logits, split=split)


def read_data(manifest, config, *, learned, splits):
    """Decode the images of a run and leave out those that cannot be read.

    Args:
        manifest: Manifest with splits.
        config: RunConfig.
        learned: classes that the train split has to hold.
        splits: SPLITS, or FITTED to leave the test images unread.

    Returns:
        RunData.

    Raises:
        DataError: `--strict` and a file cannot be used, or a class has too few readable images.
    """
    fitted, reasons = decode_splits(manifest, config, FITTED)
    fitted = dataclasses.replace(fitted, later=int((manifest.table["split"] == TEST).sum()))
    test = None
    if TEST in splits:
        test, unreadable = decode_splits(manifest, config, (TEST,))
        reasons |= unreadable
    dropped = _dropped(manifest, reasons)
    _report([*manifest.skipped, *dropped], config, files=len(manifest) + len(manifest.skipped))
    readable = manifest.without(dropped)
    check_enough(readable, learned)
    return RunData(readable, fitted, test)


def read_test(data, config, *, learned):
    """Decode the test images as well; arguments, errors and result as for `read_data`."""
    test, reasons = decode_splits(data.manifest, config, (TEST,))
    dropped = _dropped(data.manifest, reasons)
    _report(dropped, config, files=len(data.manifest))
    readable = data.manifest.without(dropped)
    check_enough(readable, learned)
    return RunData(readable, data.fitted, test)


def _dropped(manifest, reasons):
    return [Skipped(path, reasons[path]) for path in manifest.table["path"] if path in reasons]


def _report(skipped, config, *, files):
    report_left_out(skipped, files=files)
    if skipped and config.strict:
        raise DataError(
            f"--strict: {len(skipped)} of {files} files cannot be used, the first is "
            f"{skipped[0].path}: {skipped[0].reason}. Repair or remove it, or leave out --strict."
        )
