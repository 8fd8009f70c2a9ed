"""What is said about files that are left out: the first by name and reason, all of them by number. No TensorFlow."""

import logging

from medxray.data.images.access import path_text

log = logging.getLogger(__name__)
SHOWN = 10


def report_left_out(skipped, *, files):
    """Log the files that are left out.

    Names are logged as information, the number as a warning: a higher level of this logger leaves the number.

    Args:
        skipped: sequence of manifest.Skipped.
        files: number of all files, those that are left out included.
    """
    if not skipped:
        return
    for item in skipped[:SHOWN]:
        log.info("Left out: %s: %s", path_text(item.path), item.reason)
    if len(skipped) > SHOWN:
        log.info("Left out: %d more.", len(skipped) - SHOWN)
    log.warning("%d of %d files are left out.", len(skipped), files)


def show_names(shown):
    """Whether `report_left_out` gives names from now on in this process; it always gives the number."""
    log.setLevel(logging.NOTSET if shown else logging.WARNING)
