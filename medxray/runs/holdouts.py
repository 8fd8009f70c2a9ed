"""What a run says of a test split that another run has made. No TensorFlow."""

import logging
from pathlib import Path

from medxray.errors import RunError
from medxray.runs.directory import RunDir
from medxray.runs.study_directory import name_of

log = logging.getLogger(__name__)
_OTHERS = "The counts are those of run {name}, from which the split is."


def holdout_of_split(split_file, manifest):
    """The entry `holdout` of run.json, kinds of images that are held out, of the run that a split file belongs to.

    Args:
        split_file: path of the CSV.
        manifest: Manifest of the images that were chosen by it.

    Returns:
        dict, whose `note` says so where its counts are of other images than those chosen; None where the file is of no
        run, or of one that holds nothing out.
    """
    file = Path(split_file).resolve()
    run = RunDir(file.parent)
    if file != run.split_file or not run.is_there():
        return None
    try:
        record = run.read_record()
    except RunError as error:
        log.warning("Whether kinds of images are held out in %s is not known: %s", split_file, error)
        return None
    held = record.get("holdout")
    if held and record.get("data", {}).get("manifest_sha256") != manifest.digest():
        return held | {"note": f"{held['note']} {_OTHERS.format(name=name_of(run))}"}
    return held
